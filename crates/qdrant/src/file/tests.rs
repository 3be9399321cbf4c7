use std::path::Path;

use proptest::prelude::*;

use super::{Advice, parse};
use crate::{Distance, IndexType};

const PATH: &str = "q/collections.yaml";

#[test]
fn the_support_bots_file_is_read() {
    let text = include_str!("../../../../config/qdrant/collections.yaml");
    let specs = parse(Path::new(PATH), text).expect("it is right");
    assert_eq!(specs.len(), 1);
    let spec = &specs[0];
    assert_eq!((spec.name.as_str(), spec.alias.as_deref()), ("document_chunks_v1", Some("document_chunks")));
    assert_eq!((spec.vectors[""].size, spec.vectors[""].distance), (384, Distance::Cosine));
    assert_eq!((spec.hnsw.m, spec.hnsw.ef_construct, spec.on_disk_payload), (Some(16), Some(128), Some(true)));
    assert_eq!(spec.payload_indexes.len(), 7);
    assert_eq!(spec.payload_indexes["metadata.document_id"], IndexType::Uuid);
}

#[test]
fn vectors_are_one_or_several() {
    let text = "version: 1\ncollections:\n  a:\n    vectors: {distance: Dot, size: 4, on_disk: true}\n  b:\n    \
                vectors:\n      size: {size: 2, distance: Euclid}\n      text: {size: 3, distance: Manhattan}\n";
    let specs = parse(Path::new(PATH), text).expect("it is right");
    assert_eq!((specs[0].vectors[""].size, specs[0].vectors[""].on_disk), (4, Some(true)));
    assert_eq!(specs[1].vectors.keys().collect::<Vec<_>>(), ["size", "text"]);
    assert_eq!(specs[1].vectors["text"].distance, Distance::Manhattan);
}

/// The text after `version: 1\ncollections:\n`, and what is said about it with which way out.
#[test]
fn mistakes_are_named_with_their_place() {
    let cases = [
        ("  a: {vectors: {size: 0, distance: Dot}}", "3:17: 0 is no size of a vector", "write the dimensions"),
        ("  a: {vectors: {size: 70000, distance: Dot}}", "3:17: 70000 is no size", "1 to 65536"),
        ("  a: {vectors: {size: -4, distance: Dot}}", "3:17: -4 is no size", ""),
        ("  a: {vectors: {size: 3.5, distance: Dot}}", "3:17: 3.5 is no size", ""),
        ("  a: {vectors: {size: many, distance: Dot}}", "3:17: many is no size", ""),
        ("  a: {vectors: {size: 4, distance: cosine}}", "3:26: the distance `cosine` is not known", "cosine? Cosine"),
        ("  a: {vectors: {sise: 4, distance: Dot}}", "3:17: a vector has no key `sise`", "sise? size"),
        ("  a:\n    vectors:\n      size: 4\n      distnace: Dot", "6:7: a vector has no key `distnace`", "distance"),
        ("  a: {vectors: {size: 4}}", "3:7: `distance` is missing", "write {size"),
        ("  a: {vectors: {distance: Dot}}", "3:7: `size` is missing", "write {size"),
        ("  a: {vectors: {x: {size: 4}}}", "3:17: `distance` is missing", ""),
        ("  a: {vectors: {x: {size: 4, distance: Dot, on_disk: 1}}}", "3:45: 1 is neither true nor false", ""),
        ("  a: {vectors: {}}", "3:7: there is no vector", ""),
        ("  a: {vectors: {\"\": {size: 1, distance: Dot}}}", "3:17: a vector has an empty name", ""),
        (
            "  a: {vectors: {size: 4, x: {size: 4}}}",
            "3:7: one vector without a name and vectors by name",
            "write {size",
        ),
        ("  a: {vectors: {size: 4, size: 5, distance: Dot}}", "3:26: the key `size` is there twice", ""),
        ("  a: {vectors: 4}", "3:16: collections.a.vectors: invalid type: integer `4`, expected a map", ""),
        ("  a: {vectors: {size: [4], distance: Dot}}", "3:23: collections.a.vectors.size: invalid type: sequence", ""),
        ("  a: {vektors: {size: 4}}", "3:7: collections.a: unknown field `vektors`", "vektors? alias vectors"),
        ("  a: {alias: b}", "collections.a: missing field `vectors`", ""),
        ("  a:", "3:5: collections.a: missing field `vectors`", "add `vectors`"),
        ("  a: {vectors: {size: 4, distance: Dot}, hnsw: {n: 1}}", "3:49: collections.a.hnsw: unknown field `n`", "m"),
        (
            "  a: {vectors: {size: 4, distance: Dot}, hnsw: {ef_construct: 1}}",
            "3:49: ef_construct is too small",
            "write 4",
        ),
        (
            "  a: {vectors: {size: 4, distance: Dot}, payload_indexes: {x: {type: keywrd}}}",
            "3:64: the type `keywrd` is not known",
            "keywrd? keyword",
        ),
        (
            "  a: {vectors: {size: 4, distance: Dot}, payload_indexes: {x: {tipe: text}}}",
            "3:64: collections.a.payload_indexes.x: unknown field `tipe`",
            "tipe? type",
        ),
        (
            "  a: {vectors: {size: 4, distance: Dot}, payload_indexes: {' ': {type: text}}}",
            "3:60: the path is empty",
            "metadata.source",
        ),
        (
            "  a:\n    vectors: {size: 4, distance: Dot}\n    payload_indexes:\n      x: {type: text}\n      x: {type: geo}",
            "7:7: the payload index `x` is there twice",
            "remove",
        ),
        (
            "  a: {vectors: {size: 4, distance: Dot}}\n  a: {vectors: {size: 4, distance: Dot}}",
            "4:3: the collection `a` is there twice",
            "remove",
        ),
        (
            "  a: {vectors: {size: 4, distance: Dot}, alias: c}\n  b: {alias: c, vectors: {size: 4, distance: Dot}}",
            "4:7: the alias `c` is there twice",
            "keep it",
        ),
        (
            "  a: {vectors: {size: 4, distance: Dot}, alias: b}\n  b: {vectors: {size: 4, distance: Dot}}",
            "3:42: the alias `b` is also the name of a collection",
            "another name",
        ),
        ("  a/b: {vectors: {size: 4, distance: Dot}}", "3:3: `a/b` cannot be the name of a collection", "letters"),
        ("  a: {alias: '', vectors: {size: 4, distance: Dot}}", "3:7: `` cannot be the name of an alias", "letters"),
        ("  ? [1]\n  : x", "collections: invalid type: sequence", ""),
        ("  a: {vectors: {size: 4", "did not find expected", "check indentation"),
    ];
    for (text, message, advice) in cases {
        let text = format!("version: 1\ncollections:\n{text}\n");
        let error = parse(Path::new(PATH), &text).expect_err(&text);
        let shown = error.to_string();
        assert!(shown.starts_with("q/collections.yaml:") && shown.contains(message), "{text}{shown}");
        let shown = match error.advice {
            None => String::new(),
            Some(Advice::Text(text)) => text,
            Some(Advice::OneOf { wrong, known }) => format!("{wrong}? {}", known.join(" ")),
        };
        assert!(shown.contains(advice), "{text}{shown}");
    }
}

#[test]
fn mistakes_at_the_top() {
    let cases = [
        ("version: 2\ncollections: {}\n", ":1:1: version 2 is not known"),
        ("version: 1\n", "missing field `collections`"),
        ("collections: {}\n", "missing field `version`"),
        ("version: 1\ncollectoins: {}\n", ":2:1: unknown field `collectoins`"),
        ("version: 1\ncollections: []\n", ":2:14: collections: invalid type: sequence"),
        ("", "missing field `version`"),
    ];
    for (text, message) in cases {
        let error = parse(Path::new(PATH), text).expect_err(text);
        assert!(error.to_string().contains(message), "{text}: {error}");
    }
    assert_eq!(parse(Path::new(PATH), "version: 1\ncollections: {}\n"), Ok(Vec::new()));
}

/// Aliases that multiply, and depth without end.
#[test]
fn hostile_files_are_refused() {
    let bomb = "a: &a [x,x,x,x,x,x,x,x]\n";
    let bomb = ('b'..'k').fold(bomb.to_owned(), |text, c| {
        let before = char::from_u32(c as u32 - 1).unwrap_or('a');
        let eight = vec![format!("*{before}"); 8].join(",");
        format!("{text}{c}: &{c} [{eight}]\n")
    });
    for text in [bomb, "[".repeat(1_000), format!("version: 1\ncollections: {}", "{a: ".repeat(1_000))] {
        assert!(parse(Path::new(PATH), &text).is_err());
    }
}

proptest! {
    #[test]
    fn nothing_panics(text in "\\PC{0,200}") {
        let _ = parse(Path::new(PATH), &text);
    }

    #[test]
    fn nothing_nearly_right_panics(pieces in prop::collection::vec(prop::sample::select(vec![
        "version: 1\n", "collections:\n", "  a:\n", "    vectors: ", "{", "}", "size: 4", "distance: Dot", ", ", "\n",
        "      ", "    payload_indexes:\n", "x: ", "{type: text}", "&a ", "*a", "!!binary ", "- ", "? ", "\u{0}", "alias: a\n",
        "<<: ", "---\n", "\"", "'", "0x", "1e999", "~",
    ]), 0..40)) {
        let _ = parse(Path::new(PATH), &pieces.concat());
    }
}
