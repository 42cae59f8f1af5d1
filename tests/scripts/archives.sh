# tar, cpio, gzip and sums: bytes in, the same bytes out.
mkdir -p src/deep; seq 1 5000 > src/numbers; printf 'bin\000ary\377' > src/deep/binary; ln -s numbers src/link
tar cf src.tar src; tar tf src.tar | sort
mkdir out; tar xf src.tar -C out; diff -r src out/src && echo "tar same"; readlink out/src/link
find src | sort | cpio -o -H newc > src.cpio 2>/dev/null; mkdir out2; (cd out2; cpio -id < ../src.cpio 2>/dev/null)
cmp src/numbers out2/src/numbers && cmp src/deep/binary out2/src/deep/binary && echo "cpio same"
gzip -c src/numbers > n.gz; gunzip -c n.gz | cmp - src/numbers && echo "gzip same"
tar czf src.tgz src; tar tzf src.tgz | wc -l
bzip2 -c src/numbers | bunzip2 -c | md5sum
md5sum src/numbers; sha256sum src/deep/binary; cksum src/numbers
od -c src/deep/binary
hexdump -C src/deep/binary
split -l 2000 src/numbers part.; wc -l part.*; cat part.* | cmp - src/numbers && echo "split same"
base64 src/deep/binary; base64 src/numbers | base64 -d | cmp - src/numbers && echo "base64 same"
gzip -t src.tar 2>/dev/null || echo "not gzip"
