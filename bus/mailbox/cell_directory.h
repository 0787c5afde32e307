// SPDX-License-Identifier: Apache-2.0
//
// CellDirectory: finds the cell of an ActorId, on any loop of a bus.
//
// Ownership: part of the bus's state; borrows the cell tables.
// Threads:   immutable after construction. For the cells: bus/mailbox/cell.h.

#ifndef TROLLEY_BUS_MAILBOX_CELL_DIRECTORY_H_
#define TROLLEY_BUS_MAILBOX_CELL_DIRECTORY_H_

#include <vector>

#include "trolley/bus/mailbox/cell.h"

namespace trolley::internal {

class CellDirectory {
 public:
  // Adds the table of the next loop; the first one is of loop 0.
  void Add(CellTable& cells) { tables_.push_back(&cells); }

  // `id` must be an id of this bus. Its actor may have ended.
  Cell& Find(ActorId id) const { return *tables_[id.loop()]->Find(id.slot()); }

 private:
  std::vector<CellTable*> tables_;
};

}  // namespace trolley::internal

#endif  // TROLLEY_BUS_MAILBOX_CELL_DIRECTORY_H_
