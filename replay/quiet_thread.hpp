// Threads beside the one that runs the session. They get no signals: those are for the main thread, whose waits they
// must end.
#pragma once

#include <pthread.h>

#include <csignal>
#include <thread>
#include <utility>

namespace retrov {

template <class Body>
std::thread start_quiet_thread(Body body) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread thread(std::move(body));
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return thread;
}

}  // namespace retrov
