/* kernel/base/syscall_table.h - every system call, one row each; see syscalls.h. No include guard: each user defines Sn. */

/* kernel/ */
S1(uname, uaddr_t, buf)
S1(sysinfo, uaddr_t, info)
S3(getrandom, uaddr_t, buf, size_t, len, unsigned, flags)
S2(clock_gettime, int32_t, clock, uaddr_t, time)
S2(clock_settime, int32_t, clock, uaddr_t, time)
S2(clock_getres, int32_t, clock, uaddr_t, time)
S2(gettimeofday, uaddr_t, time, uaddr_t, zone)
S2(settimeofday, uaddr_t, time, uaddr_t, zone)
S1(time, uaddr_t, time)
S3(getcpu, uaddr_t, cpu, uaddr_t, node, uaddr_t, unused)
S3(syslog, int, action, uaddr_t, buf, int, len)
S4(reboot, uint32_t, magic1, uint32_t, magic2, uint32_t, command, uaddr_t, arg)
S2(arch_prctl, int, code, uint64_t, address)
S0(sched_yield)
S3(sched_getaffinity, int32_t, pid, unsigned, len, uaddr_t, mask)
S3(sched_setaffinity, int32_t, pid, unsigned, len, uaddr_t, mask)

/* mm/ and proc/ */

/* kernel/fs/ and kernel/dev/ */
