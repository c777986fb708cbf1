#pragma once

#include <csignal>

namespace credlease::client {

/// Holds all signals back from this thread, and from those that it starts, until this dies.
class SignalsHeldBack {
  public:
    SignalsHeldBack() {
        sigset_t all{};
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before_);
    }
    ~SignalsHeldBack() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
    SignalsHeldBack(const SignalsHeldBack&) = delete;
    SignalsHeldBack& operator=(const SignalsHeldBack&) = delete;

  private:
    sigset_t before_{};
};

} // namespace credlease::client
