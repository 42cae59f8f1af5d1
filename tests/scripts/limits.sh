# Many of everything, within reason.
n=0; while [ $n -lt 100 ]; do : $(true); n=$((n + 1)); done; echo "hundred forks"
a=x; i=0; while [ $i -lt 14 ]; do a=$a$a; i=$((i + 1)); done; echo "${#a}"
echo "$a" | wc -c; sh -c 'echo ${#1}' sh "$a"
mkdir many; i=0; while [ $i -lt 200 ]; do : > many/f$i; i=$((i + 1)); done; ls many | wc -l; rm -r many; [ -d many ] || echo "gone"
p=.; i=0; while [ $i -lt 30 ]; do p=$p/d; i=$((i + 1)); done; mkdir -p "$p"; echo deep > "$p/f"; cat "$p/f"; rm -r d
seq 1 200 | xargs -n 50 echo | wc -l
dd if=/dev/zero of=big bs=64k count=64 2>/dev/null; md5sum big; rm big
sh -c 'ulimit -n 16; exec 3</dev/null 4</dev/null 5</dev/null; echo "few descriptors"'
(echo 1 | (cat | (cat | (cat | (cat)))))
head -c 100000 /dev/urandom | wc -c
