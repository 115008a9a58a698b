. ./cart.sh

got=$(printf 'apple 30 3\nbread 280 1\n' | bill)
echo "the bill says: $got"
[ "$got" = "total: 3.70" ]
