# Signals in the shell.
trap 'echo got USR1' USR1; kill -USR1 $$; echo next
trap '' USR1; kill -USR1 $$; echo "ignored"
sh -c 'kill -USR1 $$; echo "child ignores too"'
trap - USR1; sh -c 'kill -USR1 $$; echo never'; echo "default $?"
(trap 'echo caught TERM; exit 9' TERM; kill -TERM $(sh -c 'echo $PPID'); sleep 1; echo never); echo "status $?"
trap 'echo leaving' EXIT
sh -c 'trap "echo inner exit" EXIT; exit 3'; echo "inner $?"
sh -c 'trap "echo int" INT; kill -INT $$; echo on'
trap
sh -c 'cat /dev/zero | head -c 10 | wc -c'
(sh -c 'kill -PIPE $$'; echo "pipe $?")
