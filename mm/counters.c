/* mm/counters.c - see mm/counters.h. */
#include "mm/counters.h"

uint64_t counters[COUNTER_COUNT];

const char *const counter_names[COUNTER_COUNT] = {
#define COUNTER_NAME(name) #name,
    COUNTERS(COUNTER_NAME)
#undef COUNTER_NAME
};
