#include "runtime/agenda.hpp"
#include "runtime/clock.hpp"
#include "runtime/sleep.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>

#include <cerrno>
#include <ctime>
#include <sys/timerfd.h>
#include <system_error>
#include <unistd.h>

namespace credlease::runtime {
namespace {

using std::chrono::milliseconds;

BootTime boot_now() {
    timespec now{};
    clock_gettime(CLOCK_BOOTTIME, &now);
    return BootTime(std::chrono::duration_cast<milliseconds>(std::chrono::seconds(now.tv_sec) +
                                                             std::chrono::nanoseconds(now.tv_nsec)));
}

int open_timer(clockid_t clock) {
    const int timer = timerfd_create(clock, TFD_NONBLOCK | TFD_CLOEXEC);
    if (timer < 0) throw std::system_error(errno, std::generic_category(), "timerfd_create");
    return timer;
}

/// The agenda and the one timer that wakes for it. Shared with the pending wait, which may end after the clock has.
class Alarm : public std::enable_shared_from_this<Alarm> {
  public:
    explicit Alarm(Loop& loop) : timer_(loop.context(), open_timer(CLOCK_BOOTTIME)) {}

    std::uint64_t add(BootTime when, std::function<void()> job) {
        const std::uint64_t call = agenda_.add(when, std::move(job));
        set();
        return call;
    }
    void remove(std::uint64_t call) { agenda_.remove(call); }

  private:
    void set();
    void wait();
    void ring();

    boost::asio::posix::stream_descriptor timer_;
    Agenda agenda_;
    std::optional<BootTime> set_for_;
    bool waiting_ = false;
};

/// Sets the timer unless it rings early enough as it is.
void Alarm::set() {
    const auto next = agenda_.next();
    if (!next || (set_for_ && *set_for_ <= *next)) return;
    constexpr auto first = BootTime(milliseconds(1)); // all zeros would switch the timer off (timerfd_create(2))
    const auto since_boot = std::max(*next, first).time_since_epoch();
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(since_boot);
    itimerspec when{};
    when.it_value.tv_sec = seconds.count();
    when.it_value.tv_nsec = std::chrono::nanoseconds(since_boot - seconds).count();
    timerfd_settime(timer_.native_handle(), TFD_TIMER_ABSTIME, &when, nullptr);
    set_for_ = next;
    if (!waiting_) wait();
}

void Alarm::wait() {
    waiting_ = true;
    timer_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                      [weak = weak_from_this()](const boost::system::error_code& failure) {
                          const auto self = weak.lock();
                          if (self && !failure) self->ring();
                      });
}

void Alarm::ring() {
    std::uint64_t times = 0;
    (void)!::read(timer_.native_handle(), &times, sizeof times);
    waiting_ = false;
    set_for_.reset();
    agenda_.run_due(boot_now());
    set();
}

/// A timer that never rings: the kernel cancels it when the wall clock is set (TFD_TIMER_CANCEL_ON_SET), and it goes
/// on.
class SetWatch : public std::enable_shared_from_this<SetWatch> {
  public:
    explicit SetWatch(Loop& loop) : timer_(loop.context(), open_timer(CLOCK_REALTIME)) {
        constexpr std::chrono::seconds in_2240 = std::chrono::years(270);
        itimerspec when{};
        when.it_value.tv_sec = in_2240.count();
        timerfd_settime(timer_.native_handle(), TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &when, nullptr);
    }

    void tell(std::function<void()> job) {
        job_ = std::move(job);
        if (job_ && !waiting_) wait();
    }

  private:
    void wait();
    void ring();

    boost::asio::posix::stream_descriptor timer_;
    std::function<void()> job_;
    bool waiting_ = false;
};

void SetWatch::wait() {
    waiting_ = true;
    timer_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                      [weak = weak_from_this()](const boost::system::error_code& failure) {
                          const auto self = weak.lock();
                          if (self && !failure) self->ring();
                      });
}

void SetWatch::ring() {
    std::uint64_t times = 0;
    (void)!::read(timer_.native_handle(), &times, sizeof times); // ECANCELED
    waiting_ = false;
    if (!job_) return;
    wait();
    job_();
}

class SystemClock final : public Clock {
  public:
    explicit SystemClock(Loop& loop)
        : loop_(loop), alarm_(std::make_shared<Alarm>(loop)), set_watch_(std::make_shared<SetWatch>(loop)) {}

    [[nodiscard]] WallTime wall() const override {
        return std::chrono::floor<milliseconds>(std::chrono::system_clock::now());
    }
    [[nodiscard]] BootTime boot() const override { return boot_now(); }
    std::uint64_t call_at(BootTime when, std::function<void()> job) override {
        return alarm_->add(when, std::move(job));
    }
    void cancel(std::uint64_t call) override { alarm_->remove(call); }
    [[nodiscard]] Task<> sleep_until(BootTime when) override { return sleep_on(*this, loop_, when); }
    void on_set(std::function<void()> job) override { set_watch_->tell(std::move(job)); }

  private:
    Loop& loop_;
    std::shared_ptr<Alarm> alarm_;
    std::shared_ptr<SetWatch> set_watch_;
};

} // namespace

std::unique_ptr<Clock> make_system_clock(Loop& loop) { return std::make_unique<SystemClock>(loop); }

} // namespace credlease::runtime
