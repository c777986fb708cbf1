#include "runtime/worker.hpp"

#include "runtime/behind_leases.hpp"
#include "runtime/signals_blocked.hpp"
#include "runtime/suspend.hpp"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <pthread.h>
#include <string>
#include <thread>

namespace credlease::runtime {
namespace {

struct Job {
    std::function<void()> work;
    std::function<void()> done;
};

} // namespace

struct Worker::State {
    explicit State(Loop& owner) : loop(owner) {}

    void give(Job job);
    void work_until_told();
    void finish();

    Loop& loop;
    std::mutex mutex; ///< guards the next three
    std::deque<Job> jobs;
    std::size_t waiting = 0;
    bool last = false;
    std::condition_variable changed;
    std::thread thread;
};

void Worker::State::give(Job job) {
    {
        const std::lock_guard lock(mutex);
        jobs.push_back(std::move(job));
        ++waiting;
    }
    changed.notify_one();
}

void Worker::State::work_until_told() {
    std::unique_lock lock(mutex);
    for (;;) {
        changed.wait(lock, [this] { return last || !jobs.empty(); });
        if (jobs.empty()) return;
        Job job = std::move(jobs.front());
        jobs.pop_front();
        lock.unlock();
        // noexcept: a job that throws ends the daemon here, where the stack still shows why.
        [&job]() noexcept { job.work(); }();
        job.work = nullptr; // what the job owned dies here, before the loop goes on
        lock.lock();
        --waiting;
        lock.unlock();
        // A stopped loop keeps this in its queue and destroys it at its own end.
        if (job.done) loop.post(std::move(job.done));
        lock.lock();
    }
}

void Worker::State::finish() {
    {
        const std::lock_guard lock(mutex);
        last = true;
    }
    changed.notify_one();
    thread.join();
}

Worker::Worker(Loop& loop, std::string_view name, Place place) : state_(std::make_unique<State>(loop)) {
    constexpr std::size_t most = 15; // pthread_setname_np(3) refuses more
    const SignalsBlocked blocked;
    state_->thread = std::thread([state = state_.get(), place] {
        if (place == Place::behind_leases) go_behind_leases();
        state->work_until_told();
    });
    pthread_setname_np(state_->thread.native_handle(), std::string(name.substr(0, most)).c_str());
}

Worker::~Worker() { state_->finish(); }

void Worker::submit(std::function<void()> job, std::function<void()> done) {
    state_->give({.work = std::move(job), .done = std::move(done)});
}

// Not to be cancelled: the job may work on what the waiting task owns.
Task<> Worker::run_erased(std::function<void()> job) {
    co_await suspend(state_->loop, [this, &job](Resume resume) { submit(std::move(job), std::move(resume)); });
}

std::size_t Worker::waiting() const {
    const std::lock_guard lock(state_->mutex);
    return state_->waiting;
}

} // namespace credlease::runtime
