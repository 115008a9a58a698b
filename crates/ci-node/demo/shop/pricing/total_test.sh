. ./total.sh

got=$(printf '250 2\n99 1\n' | total)
echo "two at 250 and one at 99 make $got"
[ "$got" = 599 ]
