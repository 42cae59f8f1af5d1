# Making, moving and removing files with the applets.
mkdir -p a/b/c a/d; echo one > a/one; echo two > a/b/two; echo three > a/b/c/three
find a | sort
find a -type f -name 't*' | sort
cp -r a z; diff -r a z && echo "same"
echo changed >> z/b/two; diff a/b/two z/b/two; diff -r a z > /dev/null; echo "diff $?"
mv z/b z/bb; ls z
ln -s ../one a/d/link; readlink a/d/link; cat a/d/link
ln a/one a/hard; stat -c '%h %s %F' a/one
rm -r z; ls -d z 2>/dev/null || echo "removed"
chmod 640 a/one; stat -c '%a' a/one; chmod u+x,go= a/one; stat -c '%a' a/one
touch -d '2020-02-02 02:02:02' a/one; stat -c '%Y' a/one
touch new; [ new -nt a/one ] && echo "newer"
rmdir a/d 2>/dev/null || echo "not empty"
[ -d a/d ] && [ -f a/one ] && [ -L a/d/link ] && [ ! -e nothing ] && echo "kinds"
test -x a/one && test -r a/one && test -w a/one && echo "modes"
mkfifo fifo; echo through > fifo & cat fifo; wait
dd if=/dev/zero of=zeros bs=512 count=9 2>/dev/null; stat -c '%s' zeros
truncate -s 100 zeros; wc -c < zeros
cp /dev/null emptied; cmp emptied /dev/null && echo "empty"
install -m 600 a/b/two inst; stat -c '%a %s' inst
basename /x/y/z.c .c; dirname /x/y/z.c
ls -a a | sort
du -a a | cut -f2 | sort
mktemp -d XXXXXX > /dev/null && echo "mktemp"
