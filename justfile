# List the recipes.
default:
    @just --list

# The gate: format, clippy with warnings denied, docs, tests.
check: fmt-check clippy doc test

fmt-check:
    cargo fmt --all -- --check

clippy:
    cargo clippy --workspace --all-targets -- -D warnings

doc:
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps

test:
    cargo test --workspace

# Mend what can be mended by itself.
fix:
    cargo clippy --workspace --all-targets --fix --allow-dirty
    cargo fmt --all

# Run the demo until Ctrl-C.
demo *ARGS:
    cargo run --release -p ci-node -- demo {{ARGS}}

# Build and test what the last commit affects, with ci-node itself.
run *ARGS:
    cargo run -p ci-node -- run . --base HEAD~1 {{ARGS}}

# Look at the supervision tree of a running node.
tree *ARGS:
    cargo run -p vitals -- tree {{ARGS}}

# Kill nodes, actors and runners a hundred times, and let fifty pull requests meet everything that can go
# wrong; STORY_SEED=N for other moments.
soak:
    SOAK_ROUNDS=100 cargo test -p ci-node --test stories soak
    CHAOS_PULLS=50 CHAOS_STEPS=600 CHAOS_WORDS=1 cargo test -p ci-node --test stories chaos

# Print every figure of docs/performance.md.
bench:
    cargo bench --workspace

# Hold the API of a real node against its description (pip install schemathesis).
contract *ARGS:
    scripts/contract {{ARGS}}

# Feed fuzz targets for five minutes each, on one core (cargo install cargo-fuzz).
fuzz *TARGETS="control journal log_page packed_log":
    cd fuzz && for target in {{TARGETS}}; do \
        mkdir -p corpus/$target seeds/$target && \
        RUSTC_BOOTSTRAP=1 cargo fuzz run $target corpus/$target seeds/$target -- -max_total_time=300 \
        || exit 1; done
