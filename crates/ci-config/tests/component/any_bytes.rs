//! Whatever is in a file: it is read or refused.

use ci_config::parse_component;
use proptest::prelude::*;

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse_component("air/ci.yaml", &bytes);
    }

    #[test]
    fn no_text_makes_it_panic(words in prop::collection::vec(word(), 0..40)) {
        let text = words.concat();
        if let Err(diagnostics) = parse_component("air/ci.yaml", text.as_bytes()) {
            prop_assert!(!diagnostics.is_empty());
            for diagnostic in diagnostics {
                prop_assert!(diagnostic.line > 0 && diagnostic.column > 0);
            }
        }
    }
}

/// The words of a component file, and what makes them trip.
fn word() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "jobs",
        "define",
        "use",
        "run",
        "parallel",
        "sequence",
        "steps",
        "env",
        "needs",
        "test",
        "compile",
        "a",
        ": ",
        ":",
        "\n",
        "\n  ",
        "\n    ",
        "\n    - ",
        "- ",
        "[",
        "]",
        "{",
        "}",
        ", ",
        "\"",
        "'",
        "&a ",
        "*a",
        "!t ",
        "|",
        ">",
        "#",
        "~",
        "---\n",
        "...\n",
        "%YAML 1.2\n",
        "? ",
        "\t",
        "é",
        "\u{feff}",
        "\0",
        "1h",
        "true",
        "<<: ",
        "\r\n",
        "\u{85}",
    ])
}
