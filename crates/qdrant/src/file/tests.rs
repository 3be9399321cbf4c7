use std::path::Path;

use proptest::prelude::*;

use super::{Advice, parse_file};
use crate::parameter::Scope;
use crate::parameter::Value;
use crate::{CollectionSpec, IndexType, Settings};

const PATH: &str = "q/collections.yaml";

#[test]
fn the_support_bots_file_is_read() {
    let text = include_str!("../../../../config/qdrant/collections.yaml");
    let specs = parse_file(Path::new(PATH), text).expect("it is right");
    assert_eq!(specs.len(), 1);
    let spec = &specs[0];
    assert_eq!((spec.name.as_str(), spec.alias.as_deref()), ("document_chunks_v1", Some("document_chunks")));
    assert_eq!(shown(&spec.vectors[""], Scope::Vector), "size: 384, distance: Cosine");
    assert_eq!(shown(&spec.settings, Scope::Collection), "on_disk_payload: true, hnsw.m: 16, hnsw.ef_construct: 128");
    assert_eq!(spec.payload_indexes.len(), 7);
    assert_eq!(spec.payload_indexes["metadata.document_id"].index_type, IndexType::Uuid);
}

#[test]
fn vectors_are_one_or_several() {
    let text = "version: 1\ncollections:\n  a:\n    vectors: {distance: Dot, size: 4, on_disk: true}\n  b:\n    \
                vectors:\n      size: {size: 2, distance: Euclid}\n      text: {size: 3, distance: Manhattan}\n";
    let specs = parse_file(Path::new(PATH), text).expect("it is right");
    assert_eq!(shown(&specs[0].vectors[""], Scope::Vector), "size: 4, distance: Dot, on_disk: true");
    assert_eq!(specs[1].vectors.keys().collect::<Vec<_>>(), ["size", "text"]);
    assert_eq!(shown(&specs[1].vectors["text"], Scope::Vector), "size: 3, distance: Manhattan");
}

fn shown(settings: &Settings, scope: Scope) -> String {
    let all = settings.of(scope).map(|(parameter, value)| format!("{}: {value}", parameter.path));
    all.collect::<Vec<_>>().join(", ")
}

fn one(text: &str) -> CollectionSpec {
    let text = format!("version: 1\ncollections:\n  a:\n{text}");
    parse_file(Path::new(PATH), &text).unwrap_or_else(|error| panic!("{text}{error}")).remove(0)
}

#[test]
fn everything_is_read_as_it_is_written() {
    let spec = one("    vectors:\n      size: 4\n      distance: Dot\n      datatype: uint8\n      \
         hnsw: {m: 0}\n      multivector: {comparator: max_sim}\n      quantization:\n        product: {compression: x16}\n    \
         sparse_vectors:\n      words: {modifier: idf, index: {on_disk: true, datatype: float16}}\n      bare:\n    \
         hnsw:\n    optimizers: {deleted_threshold: 1, max_optimization_threads: 2}\n    \
         quantization: {scalar: {quantile: 0.99}}\n    strict_mode: {enabled: true, search_max_oversampling: 1.5}\n    \
         payload_indexes:\n      n: {type: integer, lookup: false}\n      t: {tokenizer: prefix, type: text}\n");
    let vector = "size: 4, distance: Dot, datatype: uint8, multivector.comparator: max_sim, hnsw.m: 0, \
                  quantization: product, quantization.product.compression: x16";
    assert_eq!(shown(&spec.vectors[""], Scope::Vector), vector);
    let sparse = "modifier: idf, index.on_disk: true, index.datatype: float16";
    assert_eq!(shown(&spec.sparse_vectors["words"], Scope::SparseVector), sparse);
    assert!(spec.sparse_vectors["bare"].is_empty());
    let collection = "quantization: scalar, quantization.scalar.quantile: 0.99, optimizers.deleted_threshold: 1, \
                      optimizers.max_optimization_threads: 2, strict_mode.enabled: true, \
                      strict_mode.search_max_oversampling: 1.5";
    assert_eq!(shown(&spec.settings, Scope::Collection), collection);
    assert_eq!(spec.payload_indexes["n"].to_string(), "integer {lookup: false}");
    assert_eq!(spec.payload_indexes["t"].to_string(), "text {tokenizer: prefix}");

    let spec = one("    sparse_vectors: {w: {}}\n    quantization: none\n");
    assert_eq!(spec.settings.get("quantization"), Some(Value::Word("none")));
    assert!(spec.vectors.is_empty());
}

/// The text after `version: 1\ncollections:\n`, and what is said about it with which way out.
#[test]
fn mistakes_are_named_with_their_place() {
    let cases = [
        ("  a: {vectors: {size: 0, distance: Dot}}", "3:17: `size` cannot be 0", "1 to 65536"),
        ("  a: {vectors: {size: 70000, distance: Dot}}", "3:17: `size` cannot be 70000", "1 to 65536"),
        ("  a: {vectors: {size: -4, distance: Dot}}", "3:17: `size` cannot be -4", ""),
        ("  a: {vectors: {size: 3.5, distance: Dot}}", "3:17: `size` cannot be 3.5", ""),
        ("  a: {vectors: {size: many, distance: Dot}}", "3:17: `size` cannot be `many`", ""),
        ("  a: {vectors: {size: 4, distance: cosine}}", "3:26: the distance `cosine` is not known", "cosine? Cosine"),
        ("  a: {vectors: {sise: 4, distance: Dot}}", "3:17: a vector has no key `sise`", "sise? size"),
        ("  a:\n    vectors:\n      size: 4\n      distnace: Dot", "6:7: a vector has no key `distnace`", "distance"),
        ("  a: {vectors: {size: 4}}", "3:7: `distance` is missing: how two vectors", "write distance: Cosine"),
        ("  a: {vectors: {distance: Dot}}", "3:7: `size` is missing", "write size: 384"),
        ("  a: {vectors: {x: {size: 4}}}", "3:17: `distance` is missing", ""),
        ("  a: {vectors: {x: {size: 4, distance: Dot, on_disk: 1}}}", "3:45: `on_disk` cannot be 1", "true or false"),
        ("  a: {vectors: {}}", "3:7: there is no vector", ""),
        ("  a: {vectors: {\"\": {size: 1, distance: Dot}}}", "3:17: a vector has an empty name", ""),
        (
            "  a: {vectors: {size: 4, x: {size: 4}}}",
            "3:7: one vector without a name and vectors by name",
            "write {size",
        ),
        ("  a: {vectors: {size: 4, size: 5, distance: Dot}}", "3:26: the key `size` is there twice", ""),
        ("  a: {vectors: 4}", "3:7: 4 stands where a map belongs", "key: value"),
        ("  a: {vectors: {size: [4], distance: Dot}}", "3:17: `size` is no list", "write a whole number"),
        ("  a: {vektors: {size: 4}}", "3:7: a collection has no key `vektors`", "vektors? alias vectors"),
        ("  a: {alias: b}", "3:3: `vectors` is missing", "write {size"),
        ("  a:", "3:3: `vectors` is missing", "write {size"),
        ("  a: {vectors: {size: 4, distance: Dot}, hnsw: {n: 1}}", "3:49: `hnsw` has no key `n`", "n? m ef_construct"),
        (
            "  a: {vectors: {size: 4, distance: Dot}, hnsw: {ef_construct: 1}}",
            "3:49: `ef_construct` cannot be 1",
            "4 or more",
        ),
        (
            "  a: {vectors: {size: 4, distance: Dot}, payload_indexes: {x: {type: keywrd}}}",
            "3:64: the type `keywrd` is not known",
            "keywrd? keyword",
        ),
        (
            "  a: {vectors: {size: 4, distance: Dot}, payload_indexes: {x: {tipe: text}}}",
            "3:60: `type` is missing: one of keyword",
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
        ("  a: {alias: 5, vectors: {size: 4, distance: Dot}}", "3:7: an alias is a name", "quotes"),
        ("  a: {vectors: {size: 4, distance: Dot}, hnsw: 5}", "3:42: 5 stands where a map belongs", "key: value"),
        ("  a: {vectors: {size: 4, distance: Dot}, hnsw: {m: {}}}", "3:49: `m` is no map", "whole number"),
        ("  a: {vectors: {size: 4, distance: Dot}, hnsw: {m: }}", "3:49: `m` says nothing", "whole number"),
        (
            "  a:\n    vectors: {size: 4, distance: Dot}\n    optimizers:\n      indexing_treshold: 4",
            "6:7: `optimizers` has no key `indexing_treshold`",
            "indexing_threshold",
        ),
        (
            "  a: {vectors: {size: 4, distance: Dot}, optimizers: {deleted_threshold: 1.5}}",
            "3:55: `deleted_threshold` cannot be 1.5",
            "0 to 1",
        ),
        (
            "  a: {vectors: {size: 4, distance: Dot}, shard_number: 5000000000}",
            "3:42: `shard_number` cannot be",
            "1 to 429",
        ),
        (
            "  a: {vectors: {size: 4, distance: Dot, datatype: float64}}",
            "3:41: the datatype `float64` is not known",
            "float64? float32",
        ),
        (
            "  a: {vectors: {size: 4, distance: Dot}, quantization: scalar}",
            "3:42: `scalar` cannot stand alone",
            "write none",
        ),
        (
            "  a: {vectors: {size: 4, distance: Dot}, quantization: {}}",
            "3:42: one of them has to be chosen",
            "scalar, product",
        ),
        (
            "  a: {vectors: {size: 4, distance: Dot}, quantization: {scalar: {}, binary: {}}}",
            "3:42: one of them has to be chosen",
            "write none",
        ),
        (
            "  a: {vectors: {size: 4, distance: Dot}, quantization: {skalar: {}}}",
            "3:57: `quantization` has no key `skalar`",
            "skalar? scalar",
        ),
        (
            "  a: {vectors: {size: 4, distance: Dot}, quantization: {scalar: {quantil: 1}}}",
            "3:66: `quantization.scalar` has no key `quantil`",
            "quantile",
        ),
        (
            "  a: {vectors: {size: 4, distance: Dot}, quantization: {product: {}}}",
            "3:57: `compression` is missing",
            "write compression: x4",
        ),
        ("  a: {vectors: {x: {size: 4, distance: Dot, multivector: {}}}}", "3:45: `comparator` is missing", "max_sim"),
        ("  a: {sparse_vectors: {w: {modifier: ifd}}}", "3:28: the modifier `ifd` is not known", "ifd? none idf"),
        (
            "  a: {vectors: {w: {size: 4, distance: Dot}}, sparse_vectors: {w: {}}}",
            "3:64: a dense and a sparse vector cannot both be called `w`",
            "another name",
        ),
        (
            "  a: {vectors: {size: 4, distance: Dot}, payload_indexes: {x: {type: uuid, range: true}}}",
            "3:76: an index of type uuid has no key `range`",
            "range? is_tenant",
        ),
        (
            "  a: {vectors: {size: 4, distance: Dot}, payload_indexes: {x: {type: integer, range: false, lookup: false}}}",
            "3:60: an index with neither `lookup` nor `range`",
            "leave one",
        ),
        ("  ? [1]\n  : x", "collections: invalid type: sequence", ""),
        ("  a: {vectors: {size: 4", "did not find expected", "check indentation"),
    ];
    for (text, message, advice) in cases {
        let text = format!("version: 1\ncollections:\n{text}\n");
        let error = parse_file(Path::new(PATH), &text).expect_err(&text);
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
        let error = parse_file(Path::new(PATH), text).expect_err(text);
        assert!(error.to_string().contains(message), "{text}: {error}");
    }
    assert_eq!(parse_file(Path::new(PATH), "version: 1\ncollections: {}\n"), Ok(Vec::new()));
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
        assert!(parse_file(Path::new(PATH), &text).is_err());
    }
}

proptest! {
    #[test]
    fn nothing_panics(text in "\\PC{0,200}") {
        let _ = parse_file(Path::new(PATH), &text);
    }

    #[test]
    fn nothing_nearly_right_panics(pieces in prop::collection::vec(prop::sample::select(vec![
        "version: 1\n", "collections:\n", "  a:\n", "    vectors: ", "{", "}", "size: 4", "distance: Dot", ", ", "\n",
        "      ", "    payload_indexes:\n", "x: ", "{type: text}", "&a ", "*a", "!!binary ", "- ", "? ", "\u{0}", "alias: a\n",
        "<<: ", "---\n", "\"", "'", "0x", "1e999", "~",
    ]), 0..40)) {
        let _ = parse_file(Path::new(PATH), &pieces.concat());
    }
}
