// must say: ignoring return value of function declared with 'nodiscard' attribute
#include "result/result.hpp"

#include <coroutine>

using credlease::result::Result;

struct Task {
    struct promise_type {
        Task get_return_object() { return {}; }
        std::suspend_never initial_suspend() { return {}; }
        std::suspend_never final_suspend() noexcept { return {}; }
        void return_value(Result<>) {}
        void unhandled_exception() {}
    };
    bool await_ready() { return true; }
    void await_suspend(std::coroutine_handle<>) {}
    Result<> await_resume() { return {}; }
};

Task store();

Task store_two() {
#ifdef MUST_NOT_COMPILE
    co_await store();
#endif
    auto stored = co_await store();
    co_return stored;
}
