# Redirections: the offset is the open file's, not the descriptor's.
(echo a; echo b) > f; cat f
(echo c; (echo d; echo e); echo f) > f; cat f
{ echo one; echo two >&2; } > out 2> err; cat err out
echo x > f; echo y >> f; cat < f
exec 3> g; echo first >&3; (echo second >&3); echo third >&3; exec 3>&-; cat g
exec 4< g; read -r a <&4; read -r b <&4; echo "$b $a"; exec 4<&-
cat <<END
here is $((6 * 7))
	tab kept
END
cat <<'END'
no $expansion `here`
END
cat <<-END
	tabs gone
	END
ls nothing-here 2>/dev/null || echo "not there"
: > empty; wc -c < empty
echo into > a 2>&1; cat a
set -C; echo again > a 2>/dev/null || echo "noclobber held"; set +C
seq 1 5 > nums; while read -r n; do echo "n=$n"; done < nums
cat nums nums > both; wc -l both
sh -c 'echo to stderr >&2' 2>&1 | sed 's/^/seen: /'
