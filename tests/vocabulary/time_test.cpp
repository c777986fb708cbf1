#define BOOST_TEST_DYN_LINK
#include "vocabulary/time.hpp"

#include <boost/test/unit_test.hpp>

using namespace credlease::vocabulary;
using namespace std::chrono;

BOOST_AUTO_TEST_CASE(a_time_is_written_in_utc_with_milliseconds) {
    BOOST_TEST(text_of(Time{}) == "1970-01-01T00:00:00.000Z");
    BOOST_TEST(text_of(sys_days(year(2026) / November / 22) + hours(10) + minutes(2) + seconds(3) + milliseconds(45)) ==
               "2026-11-22T10:02:03.045Z");
    BOOST_TEST(text_of(Time(milliseconds(-1))) == "1969-12-31T23:59:59.999Z");
    BOOST_TEST(text_of(sys_days(year(2028) / February / 29) + milliseconds(0)) == "2028-02-29T00:00:00.000Z");
    BOOST_TEST(text_of(Time::max()) == "9999-12-31T23:59:59.999Z");
    BOOST_TEST(text_of(Time::min()) == "0000-01-01T00:00:00.000Z");
    BOOST_TEST(text_of(Time{}).size() == time_text_size);
}

BOOST_AUTO_TEST_CASE(a_written_time_reads_back) {
    for (std::int64_t at = -62'167'219'200'000; at < 253'402'300'799'999; at += 98'765'432'123) {
        const Time time{milliseconds(at)};
        const auto read = read_time(text_of(time));
        BOOST_REQUIRE(read.has_value());
        BOOST_REQUIRE((*read == time));
    }
}

BOOST_AUTO_TEST_CASE(any_offset_and_any_fraction_is_read) {
    const Time noon = sys_days(year(2026) / November / 22) + hours(12);
    const auto reads = [&](std::string_view text, milliseconds after_noon) {
        const auto read = read_time(text);
        return read && *read == noon + after_noon;
    };
    BOOST_TEST(reads("2026-11-22T12:00:00Z", milliseconds(0)));
    BOOST_TEST(reads("2026-11-22t12:00:00z", milliseconds(0)));
    BOOST_TEST(reads("2026-11-22T13:30:00+01:30", milliseconds(0)));
    BOOST_TEST(reads("2026-11-21T23:59:00-12:01", milliseconds(0)));
    BOOST_TEST(reads("2026-11-22T12:00:00-00:00", milliseconds(0)));
    BOOST_TEST(reads("2026-11-22T12:00:00.5Z", milliseconds(500)));
    BOOST_TEST(reads("2026-11-22T12:00:00.001999999999999+00:00", milliseconds(1)));
    BOOST_TEST(reads("2026-11-22T12:00:60Z", minutes(1))); // a leap second
}

BOOST_AUTO_TEST_CASE(what_is_no_rfc_3339_time_is_refused) {
    for (const std::string_view text : {"",
                                        "2026",
                                        "2026-11-22",
                                        "2026-11-22 12:00:00Z",
                                        "2026-11-22T12:00:00",
                                        "2026-11-22T12:00Z",
                                        "2026-02-29T12:00:00Z",
                                        "2026-13-01T12:00:00Z",
                                        "2026-00-01T12:00:00Z",
                                        "2026-11-31T12:00:00Z",
                                        "2026-11-22T24:00:00Z",
                                        "2026-11-22T12:60:00Z",
                                        "2026-11-22T12:00:61Z",
                                        "2026-11-22T12:00:00.Z",
                                        "2026-11-22T12:00:00+1:00",
                                        "2026-11-22T12:00:00+0100",
                                        "2026-11-22T12:00:00+24:00",
                                        "2026-11-22T12:00:00+01:60",
                                        "2026-11-22T12:00:00Zx",
                                        " 2026-11-22T12:00:00Z",
                                        "+026-11-22T12:00:00Z",
                                        "2026-11-22T12:00:-1Z",
                                        "0000-01-01T00:00:00+00:01",
                                        "9999-12-31T23:59:59-00:01"}) {
        const auto read = read_time(text);
        BOOST_TEST(!read.has_value(), text);
    }
    BOOST_CHECK(read_time("x").error().code == credlease::result::ErrorCode::invalid_request);
}

BOOST_AUTO_TEST_CASE(durations_are_read_by_their_unit) {
    BOOST_CHECK(read_duration("1ms").value() == Duration(1));
    BOOST_CHECK(read_duration("90s").value() == seconds(90));
    BOOST_CHECK(read_duration("15m").value() == minutes(15));
    BOOST_CHECK(read_duration("1h").value() == hours(1));
    BOOST_CHECK(read_duration("400d").value() == hours(24 * 400));
    BOOST_CHECK(read_duration("3652d").value() == hours(24 * 3652));
    BOOST_CHECK(read_duration("0s", true).value() == Duration::zero());
}

BOOST_AUTO_TEST_CASE(what_is_no_duration_or_longer_than_ten_years_is_refused) {
    for (const std::string_view text : {"",
                                        "s",
                                        "0s",
                                        "00s",
                                        "01s",
                                        "-1s",
                                        "+1s",
                                        " 1s",
                                        "1 s",
                                        "1",
                                        "1S",
                                        "1min",
                                        "1.5h",
                                        "1h30m",
                                        "3653d",
                                        "315569521s",
                                        "9223372036854775807ms",
                                        "9223372036854775808ms",
                                        "99999999999999999999d",
                                        "0x1s"}) {
        BOOST_TEST(!read_duration(text).has_value(), text);
    }
    BOOST_TEST(!read_duration("0ms", true).has_value());
}

BOOST_AUTO_TEST_CASE(a_duration_is_written_in_its_shortest_exact_form) {
    BOOST_TEST(text_of(Duration(0)) == "0s");
    BOOST_TEST(text_of(Duration(1500)) == "1500ms");
    BOOST_TEST(text_of(seconds(90)) == "90s");
    BOOST_TEST(text_of(minutes(15)) == "15m");
    BOOST_TEST(text_of(minutes(60)) == "1h");
    BOOST_TEST(text_of(hours(24)) == "1d");
    BOOST_TEST(text_of(hours(24 * 400)) == "400d");
    for (const auto duration : {Duration(7), Duration(61'000), Duration(3'600'001)})
        BOOST_CHECK(read_duration(text_of(duration)).value() == duration);
}
