/* efi/files.c - files of the boot device. Large reads fail or crawl on some firmware: 1 MiB at a time, with progress. */
#include "efi/stub.h"
#include "kernel/base/string.h"

#define READ_CHUNK MIB(1)
#define PATH_MAX   256

STUB_BEGIN

void volume_open(struct stub *s)
{
	EFI_GUID guid = SIMPLE_FILE_SYSTEM_PROTOCOL;
	EFI_FILE_IO_INTERFACE *fs;

	s->volume = NULL;
	if (!s->loaded->DeviceHandle)
		return;
	if (EFI_ERROR(s->bs->HandleProtocol(s->loaded->DeviceHandle, &guid, (void **)&fs)))
		return; /* the network, or a loader that hands over memory: the one file must do */
	if (EFI_ERROR(fs->OpenVolume(fs, &s->volume)))
		s->volume = NULL;
}

static EFI_STATUS file_size(EFI_FILE_HANDLE file, uint64_t *ret_size)
{
	union {
		EFI_FILE_INFO info;
		uint8_t bytes[sizeof(EFI_FILE_INFO) + PATH_MAX * sizeof(CHAR16)];
	} buffer;
	EFI_GUID guid = EFI_FILE_INFO_ID;
	UINTN size = sizeof(buffer);
	EFI_STATUS status = file->GetInfo(file, &guid, &size, &buffer);

	if (EFI_ERROR(status))
		return status;
	if (buffer.info.Attribute & EFI_FILE_DIRECTORY)
		return EFI_NOT_FOUND;
	*ret_size = buffer.info.FileSize;
	return EFI_SUCCESS;
}

EFI_STATUS volume_file_open(struct stub *s, const char *path, size_t length, EFI_FILE_HANDLE *ret_file,
			    uint64_t *ret_size)
{
	CHAR16 wide[PATH_MAX];
	EFI_FILE_HANDLE file;
	EFI_STATUS status;

	if (!s->volume || length >= PATH_MAX)
		return EFI_NOT_FOUND;
	for (size_t i = 0; i < length; i++)
		wide[i] = path[i] == '/' ? '\\' : (CHAR16)(uint8_t)path[i];
	wide[length] = 0;

	status = s->volume->Open(s->volume, &file, wide, EFI_FILE_MODE_READ, 0);
	if (EFI_ERROR(status))
		return status;
	status = file_size(file, ret_size);
	if (EFI_ERROR(status)) {
		file->Close(file);
		return status;
	}
	*ret_file = file;
	return EFI_SUCCESS;
}

EFI_STATUS volume_file_read(struct stub *s, EFI_FILE_HANDLE file, void *buffer, uint64_t size)
{
	EFI_STATUS status = EFI_SUCCESS;
	uint64_t done = 0;

	while (done < size) {
		UINTN chunk = MIN(size - done, READ_CHUNK);
		status = file->Read(file, &chunk, (uint8_t *)buffer + done);
		if (!EFI_ERROR(status) && !chunk)
			status = EFI_END_OF_FILE; /* shorter than it said */
		if (EFI_ERROR(status))
			break;
		done += chunk;
		if (size > READ_CHUNK)
			say_progress(s);
	}
	file->Close(file);
	return status;
}

STUB_END
