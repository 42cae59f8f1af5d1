# Subshells are forks: what they change stays theirs.
x=1; (x=2; echo "inside $x"); echo "outside $x"
(cd /; pwd); [ "$(pwd)" != / ] && echo "still here"
y=$(x=5; echo $((x + 1))); echo "$x $y"
echo "$(echo "$(echo "$(echo deep)")")"
(exit 7); echo "status $?"
(trap 'echo bye' EXIT; echo working); echo after
f() { local v=in; echo "$v $1"; return 3; }
f arg; echo "returned $?"
f sub | cat
for i in 1 2 3; do (echo "loop $i"; exit "$i"); echo "was $?"; done
a=$(printf 'line1\nline2\n\n\n'); echo "[$a]"
set -- a 'b c' d; (shift; echo "$# $1"); echo "$# $2"
big=$(seq 1 5000); echo "${#big}"
(umask 077; echo private > p); ls -l p | cut -c1-10
