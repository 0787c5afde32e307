# SPDX-License-Identifier: Apache-2.0
"""Each public label of Trolleybus, and the headers you may include with it.

tests/tidy holds this table to //BUILD.bazel, to the headers that pages and
examples name, and to the folder `uses`.
"""

PUBLIC_LABELS = {
    "actor_service": [
        "trolley/actors/rpc/actor_service.h",
        "trolley/actors/rpc/actor_service_options.h",
    ],
    "async": [
        "trolley/actors/async_condition.h",
        "trolley/actors/async_mutex.h",
    ],
    "chaos_poller": ["trolley/tests/poller/chaos_poller.h"],
    "child_process": [
        "trolley/actors/child/child_messages.h",
        "trolley/actors/child/child_process.h",
        "trolley/actors/child/child_process_options.h",
    ],
    "clock": ["trolley/poller/clock.h"],
    "control_service": [
        "trolley/actors/grpc/control_options.h",
        "trolley/actors/grpc/control_service.h",
        "trolley/proto/control.grpc.pb.h",
    ],
    "errno_status": ["trolley/poller/errno_status.h"],
    "fault_sys": ["trolley/poller/fault_sys.h"],
    "grpc_link": [
        "trolley/actors/bridge/bridge_service.h",
        "trolley/actors/bridge/bridge_topics.h",
        "trolley/actors/bridge/grpc_link.h",
        "trolley/actors/bridge/grpc_link_options.h",
        "trolley/actors/link/link.h",
        "trolley/actors/link/link_options.h",
        "trolley/actors/link/remote.h",
    ],
    "pipe_link": [
        "trolley/actors/link/link.h",
        "trolley/actors/link/link_options.h",
        "trolley/actors/link/remote.h",
        "trolley/actors/pipe/pipe_link.h",
        "trolley/actors/pipe/pipes.h",
    ],
    "grpc_stub": [
        "trolley/actors/link/link.h",
        "trolley/actors/link/remote.h",
        "trolley/actors/rpc/grpc_stub.h",
        "trolley/actors/rpc/grpc_stub_options.h",
    ],
    "server_streams": ["trolley/actors/rpc/server_streams.h"],
    "pipe_reader": ["trolley/actors/pipe_reader.h"],
    "poller": [
        "trolley/poller/capabilities.h",
        "trolley/poller/completions.h",
        "trolley/poller/cxx20.h",
        "trolley/poller/event.h",
        "trolley/poller/instant.h",
        "trolley/poller/poller.h",
    ],
    "poller_base": [
        "trolley/poller/operation_queue.h",
        "trolley/poller/poll_bits.h",
        "trolley/poller/registrations.h",
        "trolley/poller/wait_limit.h",
    ],
    "poller_conformance": ["trolley/tests/poller/conformance.h"],
    "printable": ["trolley/poller/printable.h"],
    "remote_topics": [
        "trolley/actors/remote_topics/remote_topics_options.h",
        "trolley/actors/remote_topics/topic_export.h",
        "trolley/actors/remote_topics/topic_import.h",
    ],
    "sim": ["trolley/poller/sim.h"],
    "stream": ["trolley/actors/stream.h"],
    "stream_link": [
        "trolley/actors/link/acceptor.h",
        "trolley/actors/link/dialer.h",
        "trolley/actors/link/link.h",
        "trolley/actors/link/link_options.h",
        "trolley/actors/link/link_peer.h",
        "trolley/actors/link/link_session.h",
        "trolley/actors/link/link_socket.h",
        "trolley/actors/link/link_transport.h",
        "trolley/actors/link/link_without_watches.h",
        "trolley/actors/link/remote.h",
        "trolley/actors/link/remote_names.h",
        "trolley/actors/link/remote_watch.h",
        "trolley/actors/link/stream_link.h",
        "trolley/actors/link/stream_listener.h",
    ],
    "sys": [
        "trolley/poller/scoped_fd.h",
        "trolley/poller/sys.h",
        "trolley/poller/sys_call.h",
    ],
    "supervision": [
        "trolley/actors/supervision/child_info.h",
        "trolley/actors/supervision/child_spec.h",
        "trolley/actors/supervision/supervision_tree.h",
        "trolley/actors/supervision/supervisor.h",
        "trolley/actors/supervision/supervisor_messages.h",
        "trolley/actors/supervision/supervisor_options.h",
        "trolley/actors/supervision/tree_source.h",
    ],
    "pools": [
        "trolley/actors/pools/pool.h",
        "trolley/actors/pools/pool_messages.h",
        "trolley/actors/pools/pool_options.h",
        "trolley/actors/pools/pool_policies.h",
    ],
    "patterns": [
        "trolley/actors/patterns/aggregator.h",
        "trolley/actors/patterns/ask_all.h",
        "trolley/actors/patterns/batcher.h",
        "trolley/actors/patterns/bulkhead.h",
        "trolley/actors/patterns/circuit_breaker.h",
        "trolley/actors/patterns/idempotency.h",
        "trolley/actors/patterns/idempotency_options.h",
        "trolley/actors/patterns/quorum.h",
        "trolley/actors/patterns/rate_limiter.h",
        "trolley/actors/patterns/reply_stream.h",
        "trolley/actors/patterns/reply_stream_options.h",
        "trolley/actors/patterns/retry.h",
        "trolley/actors/patterns/saga.h",
        "trolley/actors/patterns/saga_options.h",
        "trolley/actors/patterns/single_flight.h",
        "trolley/actors/patterns/when_all.h",
        "trolley/actors/patterns/when_any.h",
        "trolley/actors/patterns/within.h",
    ],
    "behaviour": [
        "trolley/actors/behaviour/blocking.h",
        "trolley/actors/behaviour/blocking_options.h",
        "trolley/actors/behaviour/conflated.h",
        "trolley/actors/behaviour/every.h",
        "trolley/actors/behaviour/every_options.h",
        "trolley/actors/behaviour/exit_codes.h",
        "trolley/actors/behaviour/gate.h",
        "trolley/actors/behaviour/idle_timeout.h",
        "trolley/actors/behaviour/names.h",
        "trolley/actors/behaviour/phases_report.h",
        "trolley/actors/behaviour/run_until_signal.h",
        "trolley/actors/behaviour/shutdown_phases.h",
        "trolley/actors/behaviour/signals.h",
        "trolley/actors/behaviour/stash.h",
        "trolley/actors/behaviour/states.h",
        "trolley/actors/behaviour/tell_at.h",
    ],
    "tcp_link": [
        "trolley/actors/link/link.h",
        "trolley/actors/link/link_options.h",
        "trolley/actors/link/remote.h",
        "trolley/actors/tcp/tcp_link.h",
        "trolley/actors/tcp/tcp_link_options.h",
        "trolley/actors/tcp/tcp_listener.h",
        "trolley/actors/tcp/tcp_lookup.h",
    ],
    "tls_link": [
        "trolley/actors/link/link.h",
        "trolley/actors/link/link_options.h",
        "trolley/actors/link/remote.h",
        "trolley/actors/tls/tls_link.h",
        "trolley/actors/tls/tls_listener.h",
        "trolley/actors/tls/tls_options.h",
    ],
    "tcp_socket": [
        "trolley/actors/tcp/tcp_address.h",
        "trolley/actors/tcp/tcp_socket.h",
        "trolley/actors/tcp/tcp_socket_options.h",
    ],
    "testing": [
        "trolley/actors/testing/choices.h",
        "trolley/actors/testing/explore.h",
        "trolley/actors/testing/faults.h",
        "trolley/actors/testing/model_test.h",
        "trolley/actors/testing/probe.h",
        "trolley/actors/testing/probe_entry.h",
        "trolley/actors/testing/run_trace.h",
        "trolley/actors/testing/seeds.h",
        "trolley/actors/testing/sim_bus.h",
        "trolley/actors/testing/where.h",
    ],
    "systemd": [
        "trolley/actors/systemd/listen_sockets.h",
        "trolley/actors/systemd/service_notifier.h",
    ],
    "topics": [
        "trolley/actors/topics/topic_messages.h",
        "trolley/actors/topics/topic_name.h",
        "trolley/actors/topics/topics.h",
        "trolley/actors/topics/topics_options.h",
    ],
    "trolley": [
        "trolley/actors/actor.h",
        "trolley/actors/ask.h",
        "trolley/actors/ask_when_room.h",
        "trolley/actors/bus.h",
        "trolley/actors/cancel_token.h",
        "trolley/actors/context.h",
        "trolley/actors/mains_signals.h",
        "trolley/actors/maybe_task.h",
        "trolley/actors/owed_down.h",
        "trolley/actors/protocol.h",
        "trolley/actors/ref.h",
        "trolley/actors/send.h",
        "trolley/actors/task.h",
        "trolley/actors/tell_options.h",
        "trolley/actors/seat.h",
        "trolley/actors/watch.h",
        "trolley/actors/wire_methods.h",
        "trolley/bus/actor_id.h",
        "trolley/bus/address.h",
        "trolley/bus/delivery.h",
        "trolley/bus/exit_reason.h",
        "trolley/bus/inspect.h",
        "trolley/bus/latch.h",
        "trolley/bus/ledger.h",
        "trolley/bus/log_kind.h",
        "trolley/bus/options.h",
        "trolley/bus/ref_counted.h",
        "trolley/bus/shutdown_report.h",
        "trolley/bus/test_options.h",
        "trolley/bus/timer.h",
        "trolley/bus/trace_context.h",
        "trolley/bus/watcher.h",
        "trolley/poller/pollers.h",
        "trolley/poller/requirements.h",
    ],
    "unix_link": [
        "trolley/actors/link/link.h",
        "trolley/actors/link/link_options.h",
        "trolley/actors/link/remote.h",
        "trolley/actors/unix/unix_link.h",
        "trolley/actors/unix/unix_link_options.h",
        "trolley/actors/unix/unix_listener.h",
    ],
    "unix_socket": ["trolley/actors/unix/unix_socket.h"],
    "wake_fd": ["trolley/poller/wake_fd.h"],
    "wire": ["trolley/actors/wire.h"],
}

# Only a test may depend on these.
_FOR_TESTS = ["chaos_poller", "poller_conformance", "testing"]

def public_label_tests():
    """For each label, a plain test, a plain program, and its headers.

    And one test of all labels together. As a newcomer writes them: nothing but
    srcs and deps. With Bazel's defaults a test is linked with shared libraries
    and a program without.
    """
    for label, headers in PUBLIC_LABELS.items():
        files = [
            "{}_header_{}.cc".format(label, i)
            for i in range(len(headers))
        ]

        # Each header alone in its file: it needs no other before it.
        native.genrule(
            name = label + "_header_files",
            outs = files,
            cmd = "\n".join([
                "echo '#include \"{}\"' > $(location {})".format(header, file)
                for header, file in zip(headers, files)
            ]),
        )
        native.cc_library(
            name = label + "_headers",
            testonly = True,
            srcs = files,
            tags = ["headers"],
            deps = ["@trolleybus//:" + label],
        )
        native.cc_test(
            name = label + "_test",
            size = "small",
            srcs = ["uses/" + label + ".cc"],
            deps = ["@trolleybus//:" + label],
        )
        native.cc_binary(
            name = label + "_program",
            testonly = label in _FOR_TESTS,
            srcs = ["uses/" + label + ".cc"],
            deps = ["@trolleybus//:" + label],
        )

    # All headers in one file, and all labels in one program: no two of them
    # define the same name.
    native.genrule(
        name = "everything_file",
        outs = ["everything.cc"],
        cmd = "(cat <<'EOF'\n{}\nint main() {{}}\nEOF\n) > $@".format("\n".join([
            "#include \"{}\"".format(header)
            for headers in PUBLIC_LABELS.values()
            for header in headers
        ])),
    )
    native.cc_test(
        name = "everything_test",
        size = "small",
        srcs = ["everything.cc"],
        deps = ["@trolleybus//:" + label for label in PUBLIC_LABELS],
    )
    programs = [":" + label + "_program" for label in PUBLIC_LABELS]
    native.sh_test(
        name = "programs_test",
        size = "small",
        srcs = ["programs_test.sh"],
        args = ["$(location {})".format(program) for program in programs],
        data = programs,
    )
    native.sh_test(
        name = "headers_test",
        size = "small",
        srcs = ["headers_test.sh"],
        data = [":" + label + "_headers" for label in PUBLIC_LABELS],
        tags = ["headers"],
    )
