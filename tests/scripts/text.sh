# grep, sed, awk, sort, uniq, cut, tr, and the shell's own text work.
cat > t <<END
apple 5 red
pear 3 green
cherry 12 red
fig 7 purple
pear 1 yellow
END
grep red t; grep -c pear t; grep -v e t; grep -n 'fig\|cherry' t; grep -q zzz t || echo "no zzz"
sed 's/e/E/g; 2d' t; sed -n '/fig/,$p' t; sed -e '1i first' -e '$a last' t | wc -l
sed -i 's/fig/date/' t; grep date t
sort t; sort -k2n t | cut -d' ' -f1; sort -u -k1,1 t; cut -d' ' -f3 t | sort | uniq -c | sed 's/^ *//'
awk '{ n[$3] += $2 } END { for (c in n) print c, n[c] }' t | sort
awk 'BEGIN { printf "%05.2f|%-5s|%x\n", 3.14159, "ab", 255 }'
awk -F' ' '$2 > 4 { print NR ": " toupper($1) }' t
awk 'BEGIN { while ("echo from a command" | getline line) print line; print substr("abcdef", 2, 3), length("four") }'
tr a-z A-Z < t | head -1; tr -d aeiou < t | tail -1; tr -s e < t | head -2
paste -d: t t | head -1; rev t | head -1; tac t | head -1; nl t | tail -1
expr 6 \* 7; expr abcabc : '.*b'; echo $((0x1f + 7 % 3 * (2 - 5)))
s=/usr/lib/file.tar.gz; echo "${s##*/} ${s%%.*} ${s%.gz} ${s#/usr} ${#s}"
v=; echo "${v:-default} ${v:=set} $v ${nothing+x}"
printf '%s-%d-%c\n' text 42 char; printf '%08x\n' 48879
IFS=:; set -- $(echo a:b:c); echo "$# $3"; unset IFS
seq 1 3 | tee copy | wc -l; cat copy; comm -12 t t | wc -l; fold -w 5 t | head -2; wc t
echo 'a"b$c' | sed 's/[$"]/_/g'; echo "it's" | xargs -I{} echo 'x{}' 2>/dev/null || echo "xargs quotes"
seq 1 10 | xargs -n 3 echo
seq 1 20 | xargs -n 5 sh -c 'echo "$# from $1"' sh
diff t copy > d; wc -l < d
bc 2>/dev/null <<END
2^70
END
