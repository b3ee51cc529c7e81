// The small parts of the room: dates, kept bodies, pages, waits.

#include "dataplane/exchange/body_buffer.h"
#include "dataplane/exchange/date.h"
#include "dataplane/exchange/error_page.h"
#include "tests/unit/dataplane/exchange/exchange_fixture.h"

namespace weir::exchange {
namespace {

using namespace std::chrono_literals;

TEST(HttpDate, HasTheFixedForm) {
  for (const auto& [seconds, want] : std::vector<std::pair<std::int64_t, std::string>>{
           {784'111'777, "Sun, 06 Nov 1994 08:49:37 GMT"},
           {0, "Thu, 01 Jan 1970 00:00:00 GMT"},
           {951'782'399, "Mon, 28 Feb 2000 23:59:59 GMT"},
           {1'709'164'800, "Thu, 29 Feb 2024 00:00:00 GMT"}}) {
    std::array<char, 29> out{};
    format_http_date(base::WallTime(std::chrono::seconds(seconds)), out);
    EXPECT_EQ(std::string(out.data(), out.size()), want);
  }
}

TEST(HttpDate, IsWrittenOnceASecond) {
  base::ManualClock clock;
  clock.set_wall(base::WallTime(784'111'777'400ms));
  DateText text;
  EXPECT_EQ(text.at(clock.now(), clock), "Sun, 06 Nov 1994 08:49:37 GMT");
  clock.advance(599ms);
  EXPECT_EQ(text.at(clock.now(), clock), "Sun, 06 Nov 1994 08:49:37 GMT");
  clock.advance(1ms);
  EXPECT_EQ(text.at(clock.now(), clock), "Sun, 06 Nov 1994 08:49:38 GMT");
}

TEST(BodyBuffer, PacksSmallPiecesAndSharesLargeOnes) {
  base::ProcessBudget process;
  base::WorkerBudget budget(process);
  worker::BufferPool pool(budget);
  {
    BodyBuffer body(pool);
    std::string want;
    for (int i = 0; i < 20'000; ++i) {
      const std::string byte(1, static_cast<char>('a' + i % 26));
      ASSERT_TRUE(body.append(worker::Slice::borrowed(byte), 100'000));
      want += byte;
    }
    EXPECT_EQ(pool.chunks_taken(), 2u);
    const worker::Slice large = pool.copy(std::string(8'000, 'L'));
    ASSERT_TRUE(body.append(large, 100'000));
    want += large.bytes();
    EXPECT_EQ(pool.chunks_taken(), 3u);
    EXPECT_FALSE(body.append(worker::Slice::borrowed(std::string(72'001, 'x')), 100'000));
    std::string got;
    for (const worker::Slice& slice : body.slices()) got += slice.bytes();
    EXPECT_EQ(got, want);
    EXPECT_GT(budget.used(), 0);
    body.clear();
    EXPECT_EQ(body.size(), 0u);
  }
  EXPECT_EQ(budget.used(), 0);
}

TEST(WaitTable, AnOldTicketNamesNothing) {
  WaitTable waits;
  auto* exchange = reinterpret_cast<Exchange*>(&waits);  // only compared
  const WaitTicket first = waits.open(*exchange);
  EXPECT_EQ(waits.find(first), exchange);
  waits.close(first);
  const WaitTicket second = waits.open(*exchange);
  EXPECT_EQ(second.slot, first.slot);
  EXPECT_EQ(waits.find(first), nullptr);
  waits.close(first);
  EXPECT_EQ(waits.find(second), exchange);
  EXPECT_EQ(waits.find({}), nullptr);
  waits.close(second);
  EXPECT_EQ(waits.waiting(), 0u);
}

TEST(SnapshotRef, KeepsAGenerationAliveUntilItsLastHolderGoes) {
  LiveSnapshot live;
  auto first = std::make_shared<Snapshot>();
  first->version = 1;
  const std::weak_ptr<Snapshot> watched = first;
  live.replace(std::move(first));
  SnapshotRef held = live.take();
  SnapshotRef copy = held;
  live.replace(std::make_shared<Snapshot>());
  EXPECT_EQ(held->version, 1u);
  held.reset();
  EXPECT_FALSE(watched.expired());
  copy.reset();
  EXPECT_TRUE(watched.expired());
  EXPECT_EQ(live->version, 0u);
}

}  // namespace
}  // namespace weir::exchange
