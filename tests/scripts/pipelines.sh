# Pipelines: order, status, long ones, and what happens when a reader leaves early.
echo one two three | tr ' ' '\n' | sort -r | head -2
seq 1 1000 | grep 7 | wc -l
seq 1 20000 | head -3
yes | head -5 | wc -l
echo abc | cat | cat | cat | cat | cat | cat | cat | cat
false | true; echo "status $?"
true | false; echo "status $?"
! true; echo "status $?"
seq 5 | while read -r n; do echo "got $n"; done
seq 1 30000 | tail -1
dd if=/dev/zero bs=1024 count=300 2>/dev/null | wc -c
seq 1 3000 | md5sum
(seq 1 5; seq 6 9) | awk '{ s += $1 } END { print s }'
seq 1 100 | sed -n '10,12p;$p'
printf 'b 2\na 1\nc 3\n' | sort -k2n | cut -d' ' -f1 | xargs echo
