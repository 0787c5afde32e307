// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/behaviour/internal/phase_watch.h"

#include <utility>

namespace trolley::internal {

PhaseWatch::PhaseWatch(const Bus& bus, std::vector<Address> actors)
    : bus_(bus), actors_(std::move(actors)), marks_(actors_.size()) {
  {
    absl::MutexLock lock(&record_->mutex);
    record_->seen.resize(actors_.size());
    record_->left = actors_.size();
  }
  if (actors_.empty()) record_->ended.Open();
  for (size_t i = 0; i < actors_.size(); ++i) {
    names_.push_back(actors_[i].ToString());
    watches_.push_back(
        actors_[i].WhenEnded([record = record_, i](const ActorEnd& end) {
          bool last;
          {
            absl::MutexLock lock(&record->mutex);
            record->seen[i].end = end;
            last = --record->left == 0;
          }
          if (last) record->ended.Open();
        }));
  }
}

PhaseWatch::~PhaseWatch() {
  for (const size_t i : Left()) actors_[i].ForgetWhenEnded(watches_[i]);
}

void PhaseWatch::Mark(PhaseEnd end) {
  absl::MutexLock lock(&record_->mutex);
  for (size_t i = 0; i < actors_.size(); ++i) {
    // mutant: P10_WhatEndedInTimeCountsAsStopped
    if (record_->seen[i].end.has_value() && !marks_[i].has_value()) {
      marks_[i] = end;
    }
  }
}

void PhaseWatch::Stop(bool drain) {
  for (const size_t i : Left()) actors_[i].Stop(drain);
}

void PhaseWatch::Look() {
  ++looks_;
  for (const size_t i : Left()) {
    bus_.InspectActor(actors_[i], [record = record_, number = looks_,
                                   i](std::optional<ActorInfo> info) {
      if (!info.has_value()) return;
      absl::MutexLock lock(&record->mutex);
      record->seen[i].look = *std::move(info);
      record->seen[i].looked = number;
    });
  }
}

bool PhaseWatch::all_ended() const {
  absl::MutexLock lock(&record_->mutex);
  return record_->left == 0;
}

std::vector<PhaseActor> PhaseWatch::Report(PhaseEnd others) const {
  std::vector<PhaseActor> report(actors_.size());
  absl::MutexLock lock(&record_->mutex);
  for (size_t i = 0; i < actors_.size(); ++i) {
    const Seen& seen = record_->seen[i];
    PhaseActor& actor = report[i];
    actor.name = names_[i];
    actor.end = marks_[i].value_or(others);
    const ActorInfo* info = nullptr;
    if (seen.end.has_value()) {
      actor.reason = seen.end->reason;
      info = &seen.end->last;
    } else if (seen.look.has_value()) {
      info = &*seen.look;
    }
    if (info != nullptr) {
      actor.state = info->state;
      actor.depth = info->depth;
      actor.handled = info->handled;
    }
    if (actor.end == PhaseEnd::kSurvived && !seen.end.has_value() &&
        seen.looked < looks_) {
      actor.state = "stuck";
    }
  }
  return report;
}

void PhaseWatch::AddReasons(std::vector<PhaseActor>& actors) const {
  absl::MutexLock lock(&record_->mutex);
  for (size_t i = 0; i < actors.size(); ++i) {
    const std::optional<ActorEnd>& end = record_->seen[i].end;
    if (end.has_value()) actors[i].reason = end->reason;
  }
}

std::vector<size_t> PhaseWatch::Left() const {
  std::vector<size_t> left;
  absl::MutexLock lock(&record_->mutex);
  for (size_t i = 0; i < actors_.size(); ++i) {
    if (!record_->seen[i].end.has_value()) left.push_back(i);
  }
  return left;
}

}  // namespace trolley::internal
