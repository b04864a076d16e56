/// Runs the tests of an executable. Where every one was skipped the status is 77, which CTest takes
/// for a skip; a failure stays one, whatever else was skipped.
#include <gtest/gtest.h>

int main(int argc, char** argv) {
  constexpr int kSkipped = 77;
  testing::InitGoogleTest(&argc, argv);
  const int status = RUN_ALL_TESTS();
  const testing::UnitTest& all = *testing::UnitTest::GetInstance();
  const bool ran = all.successful_test_count() + all.failed_test_count() > 0;
  return status == 0 && !ran && all.skipped_test_count() > 0 ? kSkipped : status;
}
