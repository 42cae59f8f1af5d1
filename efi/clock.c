/* efi/clock.c - the wall time, from GetTime(). Firmware gives garbage often enough: each field is checked. */
#include "efi/stub.h"
#include "kernel/base/cpu.h"

#define DAYS_TO_1970     719468 /* from 0000-03-01 */
#define SECONDS_PER_DAY  86400
#define ZONE_UNSPECIFIED 2047 /* the clock is in local time of nowhere known: taken as UTC */
#define ZONE_MAX         1440 /* minutes */

STUB_BEGIN

static bool time_valid(const EFI_TIME *t)
{
	return t->Year >= 1998 && t->Year <= 9999 && t->Month >= 1 && t->Month <= 12 && t->Day >= 1 && t->Day <= 31 &&
	       t->Hour < 24 && t->Minute < 60 && t->Second < 60 &&
	       (t->TimeZone == ZONE_UNSPECIFIED || (t->TimeZone >= -ZONE_MAX && t->TimeZone <= ZONE_MAX));
}

/* Days since 1970-01-01 of a date in the Gregorian calendar. Years start in March, so that February ends them. */
static int64_t days_since_1970(int64_t year, int64_t month, int64_t day)
{
	int64_t y = month > 2 ? year : year - 1;
	int64_t m = month > 2 ? month - 3 : month + 9;

	return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - DAYS_TO_1970;
}

void clock_read(struct stub *s)
{
	EFI_TIME t = {0};

	s->info->wall_seconds = INT64_MIN;
	if (EFI_ERROR(s->st->RuntimeServices->GetTime(&t, NULL)) || !time_valid(&t)) {
		say(s, "the firmware's clock gives no valid time");
		return;
	}
	s->info->wall_tsc = read_tsc();
	s->info->wall_seconds =
	    days_since_1970(t.Year, t.Month, t.Day) * SECONDS_PER_DAY + t.Hour * 3600 + t.Minute * 60 + t.Second;
	if (t.TimeZone != ZONE_UNSPECIFIED)
		s->info->wall_seconds += t.TimeZone * 60; /* local time = UTC - TimeZone (UEFI 2.10 section 8.3) */
}

STUB_END
