/* kernel/dev/serial.c - see serial.h. Registers: National Semiconductor PC16550D data sheet, 8. */
#include "kernel/dev/serial.h"

#include "kernel/base/cpu.h"
#include "kernel/base/lock.h"

#define PORT 0x3f8

enum reg { DATA, INTERRUPT_ENABLE, FIFO_CONTROL, LINE_CONTROL, MODEM_CONTROL, LINE_STATUS, MODEM_STATUS, SCRATCH };

#define IER_RECEIVE   0x01
#define FCR_ENABLE    0x07 /* on, both FIFOs cleared, interrupt at 1 byte */
#define LCR_8N1       0x03
#define LCR_DIVISOR   0x80
#define MCR_DTR_RTS   0x03
#define MCR_OUT2      0x08 /* lets the interrupt out */
#define MCR_LOOPBACK  0x10
#define LSR_DATA      0x01
#define LSR_THR_EMPTY 0x20

#define DIVISOR_115200 1
#define FIFO_BYTES     16
#define WAIT_SPINS     200000 /* reads of a port are near 1 us on hardware: 16 bytes at 115200 take 1.4 ms */

static bool present;
static void (*receiver)(uint8_t);
static struct spinlock serial_lock = SPINLOCK_INIT("serial", LOCK_DEVICE);

static void reg_write(enum reg r, uint8_t v) { outb((uint16_t)(PORT + r), v); }

static uint8_t reg_read(enum reg r) { return inb((uint16_t)(PORT + r)); }

static bool loops_back(void)
{
	reg_write(MODEM_CONTROL, MCR_LOOPBACK | MCR_DTR_RTS);
	reg_write(DATA, 0xa5);
	for (int i = 0; i < 10000; i++)
		if (reg_read(LINE_STATUS) & LSR_DATA)
			return reg_read(DATA) == 0xa5;
	return false;
}

bool serial_init(void)
{
	reg_write(SCRATCH, 0x5a);
	if (reg_read(SCRATCH) != 0x5a || reg_read(LINE_STATUS) == 0xff)
		return false;
	reg_write(INTERRUPT_ENABLE, 0);
	reg_write(LINE_CONTROL, LCR_DIVISOR | LCR_8N1);
	reg_write(DATA, DIVISOR_115200);
	reg_write(INTERRUPT_ENABLE, 0); /* high byte of the divisor */
	reg_write(LINE_CONTROL, LCR_8N1);
	reg_write(FIFO_CONTROL, FCR_ENABLE);
	present = loops_back();
	reg_write(MODEM_CONTROL, MCR_DTR_RTS | MCR_OUT2);
	return present;
}

bool serial_present(void) { return present; }

/* Waits until the transmit FIFO is empty; a port that never gets there is given up. */
static bool transmitter_ready(void)
{
	for (int i = 0; present && i < WAIT_SPINS; i++) {
		if (reg_read(LINE_STATUS) & LSR_THR_EMPTY)
			return true;
		cpu_pause();
	}
	present = false;
	return false;
}

static void write_locked(const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (i % FIFO_BYTES == 0 && !transmitter_ready())
			return;
		reg_write(DATA, (uint8_t)text[i]);
	}
}

void serial_write(const char *text, size_t n)
{
	uint64_t flags = spin_lock_irq(&serial_lock);

	write_locked(text, n);
	spin_unlock_irq(&serial_lock, flags);
}

/* Without the lock: the log's own lock is of a higher rank, and a panic must get out whoever holds it. */
void serial_write_text(const char *text, size_t n)
{
	size_t start = 0;

	for (size_t i = 0; i < n; i++) {
		if (text[i] != '\n')
			continue;
		write_locked(text + start, i - start);
		write_locked("\r\n", 2);
		start = i + 1;
	}
	write_locked(text + start, n - start);
}

void serial_set_receiver(void (*rx)(uint8_t byte)) { receiver = rx; }

void serial_enable_interrupt(void)
{
	if (present)
		reg_write(INTERRUPT_ENABLE, IER_RECEIVE);
}

void serial_poll(void)
{
	/* Without a receiver the bytes stay in the FIFO. A port that always says "data" must not keep the CPU. */
	for (int i = 0; present && receiver && i < 64 && (reg_read(LINE_STATUS) & LSR_DATA); i++)
		receiver(reg_read(DATA));
}
