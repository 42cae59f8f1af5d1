# Background processes and wait.
(exit 5) & wait $!; echo "status $?"
sleep 0.1 & a=$!; sleep 0.05 & b=$!; wait "$b"; wait "$a"; echo "both $?"
for i in 1 2 3 4 5; do (sleep 0.0$i; echo "$i" > "job$i") & done; wait; cat job1 job2 job3 job4 job5
{ sleep 0.05; echo late; } & echo early; wait
sh -c 'kill -TERM $$'; echo "killed $?"
sh -c 'kill -KILL $$'; echo "killed $?"
sleep 100 & p=$!; kill "$p"; wait "$p" 2>/dev/null; echo "sleeper $?"
kill -0 $$ && echo "alive"
kill -0 "$p" 2>/dev/null || echo "gone"
(sleep 0.1; echo done) | cat
wait; echo "nothing left $?"
sh -c 'sleep 0.1 & exit 4'; echo "left one behind $?"
sleep 0.2
n=0; while [ $n -lt 30 ]; do true & n=$((n + 1)); done; wait; echo "thirty"
