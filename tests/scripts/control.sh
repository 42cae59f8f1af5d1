# The shell's own language: loops, functions, recursion by fork, arithmetic.
i=0; while [ $i -lt 5 ]; do i=$((i + 1)); [ $i = 2 ] && continue; [ $i = 4 ] && break; echo "i $i"; done
until [ $i = 0 ]; do i=$((i - 1)); done; echo "down to $i"
fact() { if [ "$1" -le 1 ]; then echo 1; else echo $(($1 * $(fact $(($1 - 1))))); fi; }
fact 10
fib() { if [ "$1" -lt 2 ]; then echo "$1"; else echo $(($(fib $(($1 - 1))) + $(fib $(($1 - 2))))); fi; }
fib 7
for w in a 'b c' *.none; do echo "<$w>"; done
case abc.tar in *.gz) echo gz ;; *.tar) echo tar ;; esac
set -- one two three; for a; do echo "$a"; done; shift 2; echo "$*"
eval 'v=evaluated'; echo "$v"
command -v cd > /dev/null && echo "has cd"
nothing-called-this 2>/dev/null; echo "missing $?"
./not-executable 2>/dev/null; echo "missing too $?"
echo 'echo script ran with $#' > s; sh s a b; chmod +x s; ./s x
printf '#!/bin/sh\necho "from $0 $1"\nexit 6\n' > s; ./s arg; echo "status $?"
. ./s sourced > /dev/null 2>&1 & wait $!; echo "sourced $?"
set -e; (false; echo never) || echo "stopped"; set +e
(set -u; : "$undefined") 2>/dev/null; echo "unset $?"
echo "$0" | grep -q . && echo "has a name"
read -r first rest <<END
alpha beta gamma
END
echo "$first|$rest"
printf 'a\\b\n' | { read -r raw; echo "$raw"; }
getopts ab: o -a -b val && echo "opt $o"
env -i X=1 sh -c 'echo "$X$HOME"'
exec sh -c 'echo replaced; exit 12'
