# Debian's bash-static, unmodified: arrays, process substitution, coprocesses, job control in scripts.
a=(one two three); for i in "${!a[@]}"; do echo "$i ${a[i]}"; done
echo "${a[@]^^}"; declare -A m=([x]=1 [y]=2); echo "${m[y]}"
diff <(echo a; echo b) <(echo a; echo c); echo "diff $?"
while read -r x; do echo "got $x"; done < <(seq 3)
tee >(tr a-z A-Z > upper) >(rev > reversed) <<< "both ways" > /dev/null; sleep 0.3; cat upper reversed
coproc cat; echo hello >&"${COPROC[1]}"; read -r line <&"${COPROC[0]}"; echo "$line"; exec {COPROC[1]}>&-
wait; (sleep 0.1; exit 4) & wait $!; echo "background $?"
cat <<< "here string"; printf '%(%Y)T\n' 0
[[ abc =~ b(.) ]] && echo "${BASH_REMATCH[1]}"
set -o pipefail; false | true; echo "pipefail $?"; true | false | true; echo "${PIPESTATUS[@]}"
f() { trap 'echo returning' RETURN; local -n r=$1; r=changed; }; v=old; f v; echo "$v"
mapfile -t lines < <(seq 5); echo "${#lines[@]} ${lines[-1]}"
for ((i = 0; i < 30; i++)); do x=$(echo $((i * i))); done; echo "$x"
(trap 'echo cleanup' EXIT; exit 3); echo "subshell $?"
exec {fd}> out; echo "to a new descriptor" >&$fd; exec {fd}>&-; cat out
ulimit -n 64; ulimit -n; umask 077; umask -S
timeout 0.2 sleep 10; echo "timeout $?"
trap 'echo bye' EXIT
