#include "runtime/suspend.hpp"

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <memory>
#include <optional>

namespace credlease::runtime {
namespace {

template <class Handler> using Parked = std::shared_ptr<std::optional<Handler>>;

template <class Handler> Resume make_resume(Loop& loop, Parked<Handler> parked) {
    return [&loop, parked = std::move(parked)] {
        if (!parked->has_value()) return;
        Handler handler = std::move(**parked);
        parked->reset();
        boost::asio::post(loop.context(), std::move(handler));
    };
}

} // namespace

Task<> suspend(Loop& loop, std::function<void(Resume)> start, std::function<void(Resume)> on_cancel) {
    auto initiate = [&](auto handler) {
        using Handler = decltype(handler);
        auto slot = boost::asio::get_associated_cancellation_slot(handler);
        auto parked = std::make_shared<std::optional<Handler>>(std::move(handler));
        if (on_cancel && slot.is_connected()) {
            // Weak: the slot belongs to the task, and a task that owned its own handler would never be freed.
            slot.assign([&loop, weak = std::weak_ptr(parked), on_cancel](boost::asio::cancellation_type) {
                const auto held = weak.lock();
                if (held && held->has_value()) on_cancel(make_resume<Handler>(loop, held));
            });
        }
        start(make_resume<Handler>(loop, std::move(parked)));
    };
    co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<>, void()>(std::move(initiate),
                                                                                       boost::asio::use_awaitable);
}

Task<> give_way(Loop& loop) {
    co_await suspend(loop, [&loop](Resume resume) { loop.line_up(std::move(resume)); });
}

} // namespace credlease::runtime
