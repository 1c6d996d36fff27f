//! Pickles that mean harm: each costs an error, or a little time, and nothing else.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::time::{Duration, Instant};

use pickle::{Error, Pickle};
use untrusted_files::Budget;

/// None of these files takes longer than this to read; they would take Python ages, or all memory.
const SOON: Duration = Duration::from_secs(5);

fn protocol_4(body: &[u8]) -> Vec<u8> {
    [b"\x80\x04", body, b"."].concat()
}

fn check_error(bytes: &[u8], expected: &str) {
    let error = Pickle::parse(bytes.to_vec()).unwrap_err().to_string();
    assert_eq!(error, expected, "of {:?}", String::from_utf8_lossy(bytes));
}

fn text(text: &str) -> Vec<u8> {
    [&[0x8c, u8::try_from(text.len()).unwrap()], text.as_bytes()].concat()
}

#[test]
fn whatever_is_no_data_is_refused_by_name() {
    let names = [
        ("os", "system"),
        ("posix", "system"),
        ("nt", "system"),
        ("subprocess", "Popen"),
        ("builtins", "eval"),
        ("builtins", "exec"),
        ("builtins", "getattr"),
        ("builtins", "__import__"),
        ("builtins", "print"),
        ("builtins", "set"),
        ("__builtin__", "eval"),
        ("copyreg", "_reconstructor"),
        ("copy_reg", "_reconstructor"),
        ("operator", "attrgetter"),
        ("importlib", "import_module"),
        ("numpy", "load"),
        ("numpy.core.multiarray", "fromfile"),
        ("numpy.testing._private.utils", "runstring"),
        ("pandas", "read_pickle"),
        ("pandas", "eval"),
        ("pandas.io.pickle", "read_pickle"),
        // Python looks dotted names up part by part, so that an allowed module opens others.
        ("pandas", "io.common.os.system"),
        ("numpy", "os.system"),
        ("builtins", "slice.__class__"),
        ("", ""),
    ];
    for (module, name) in names {
        let after = format!("`{module}.{name}` at byte ");
        let because = ": only NumPy and pandas data are read, nothing is executed";
        let old = [
            b"\x80\x02c",
            module.as_bytes(),
            b"\n",
            name.as_bytes(),
            b"\n(X\x02\x00\x00\x00lstR.",
        ]
        .concat();
        check_error(&old, &format!("refused to load {after}2{because}"));
        let both = [text(module), text(name)].concat();
        let new = protocol_4(&[&both[..], b"\x93\x8c\x02ls\x85R"].concat());
        check_error(
            &new,
            &format!("refused to load {after}{}{because}", 2 + both.len()),
        );
    }
    let error = Pickle::parse(b"\x80\x02cos\nsystem\n.".to_vec()).unwrap_err();
    assert!(matches!(error, Error::Refused { offset: 2, global } if global == "os.system"));
}

#[test]
fn opcodes_that_data_do_not_need_are_refused() {
    let refused: [(&[u8], &str); 9] = [
        (
            b"(X\x02\x00\x00\x00lsios\nsystem\n",
            "refused opcode `INST` at byte 10: NumPy and pandas data do not need it",
        ),
        (
            b"No",
            "refused opcode `OBJ` at byte 3: NumPy and pandas data do not need it",
        ),
        (
            b"Pname\n",
            "refused opcode `PERSID` at byte 2: NumPy and pandas data do not need it",
        ),
        (
            b"NQ",
            "refused opcode `BINPERSID` at byte 3: NumPy and pandas data do not need it",
        ),
        (
            b"\x82\x01",
            "refused opcode `EXT1` at byte 2: NumPy and pandas data do not need it",
        ),
        (
            b"\x8f",
            "refused opcode `EMPTY_SET` at byte 2: NumPy and pandas data do not need it",
        ),
        (
            b"\x80\x04",
            "refused opcode `PROTO` at byte 2: NumPy and pandas data do not need it",
        ),
        (
            b"\xff",
            "refused opcode `0xff` at byte 2: NumPy and pandas data do not need it",
        ),
        (
            b"\x97",
            "cannot read a buffer that lies outside of the pickle at byte 2",
        ),
    ];
    for (body, expected) in refused {
        check_error(&protocol_4(body), expected);
    }
}

#[test]
fn other_files_are_told_what_they_are() {
    check_error(
        b"",
        "not a pickle of protocol 2 to 5, at byte 0: an empty file",
    );
    check_error(
        b"\x80\x06N.",
        "not a pickle of protocol 2 to 5, at byte 0: protocol `6`",
    );
    check_error(
        b"(lp0\n.",
        "not a pickle of protocol 2 to 5, at byte 0: byte `0x28`",
    );
    for (bytes, expected) in [
        (
            &b"\x1f\x8b\x08\x00"[..],
            "compressed by gzip; decompress it first (`gunzip`)",
        ),
        (
            b"version https://git-lfs.github.com/spec/v1\n",
            "a Git LFS pointer",
        ),
        (b"<!DOCTYPE html>\n", "a web page (HTML)"),
        (b"\xfd7zXZ\x00\x00", "compressed by xz"),
        (b"BZh91AY", "compressed by bzip2"),
        (b"PK\x03\x04", "a ZIP archive"),
    ] {
        let error = Pickle::parse(bytes.to_vec()).unwrap_err().to_string();
        let expected = format!("not a pickle of protocol 2 to 5, at byte 0: {expected}");
        assert!(error.starts_with(&expected), "{error}");
    }
}

#[test]
fn declared_lengths_are_not_believed() {
    let huge = u64::MAX.to_le_bytes();
    for (opcode, name) in [
        (0x8d, "BINUNICODE8"),
        (0x8e, "BINBYTES8"),
        (0x96, "BYTEARRAY8"),
        (0x95, "FRAME"),
    ] {
        let body = [&[opcode], &huge[..]].concat();
        check_error(
            &protocol_4(&body),
            &format!(
                "the pickle is cut off: `{name}` at byte 2 needs {} bytes, 1 are left",
                u64::MAX
            ),
        );
    }
    check_error(
        &protocol_4(b"X\xff\xff\xff\xff"),
        "the pickle is cut off: `BINUNICODE` at byte 2 needs 4294967295 bytes, 1 are left",
    );
    check_error(
        &protocol_4(b"\x8b\xff\xff\xff\x7f"),
        "the pickle is cut off: `LONG4` at byte 2 needs 2147483647 bytes, 1 are left",
    );
    check_error(
        &protocol_4(b"\x8b\xff\xff\xff\xff"),
        "malformed pickle at byte 2: an integer of negative length",
    );
    check_error(
        &protocol_4(b"\x8a\x09\xff\xff\xff\xff\xff\xff\xff\xff\x00"),
        "cannot read an integer of 9 bytes at byte 2",
    );
    check_error(
        &protocol_4(b"Nr\xff\xff\xff\xff"),
        "malformed pickle at byte 3: memo number `4294967295`",
    );
    check_error(
        &protocol_4(b"j\xff\xff\xff\xff"),
        "malformed pickle at byte 2: memo number `4294967295` before anything was put there",
    );
}

#[test]
fn the_stack_is_guarded() {
    for body in [
        &b""[..],
        b"0",
        b"R",
        b"b",
        b"a",
        b"s",
        b"\x85",
        b"\x86",
        b"\x87",
        b"\x81",
        b"\x94",
        b"\x93",
        b"](0a",
        b"N(a",
        b"N(s",
    ] {
        let error = Pickle::parse(protocol_4(body)).unwrap_err().to_string();
        assert!(
            error.contains("on an empty stack") || error.contains("to append to"),
            "of {body:?}: {error}"
        );
    }
    for body in [&b"t"[..], b"e", b"u", b"1"] {
        let error = Pickle::parse(protocol_4(body)).unwrap_err().to_string();
        assert!(error.contains("without a mark"), "of {body:?}: {error}");
    }
    check_error(
        &protocol_4(b"}(Nu"),
        "malformed pickle at byte 5: a key without a value",
    );
    check_error(
        &protocol_4(b"N(Ne"),
        "expected a list to append to at byte 5, found None",
    );
    check_error(
        &protocol_4(b"]Nb"),
        "expected an object to give a state at byte 2, found a list",
    );
    check_error(
        &protocol_4(b"N)R"),
        "expected a class or function at byte 4, found None",
    );
}

#[test]
fn a_billion_laughs_stay_one_list_each() {
    let started = Instant::now();
    // 100,000 times: a list of ten times the list before.
    let mut body = b"]\x94".to_vec();
    for i in 0_u32..100_000 {
        body.extend_from_slice(b"](");
        for _ in 0..10 {
            body.push(b'j');
            body.extend_from_slice(&i.to_le_bytes());
        }
        body.extend_from_slice(b"e\x94");
    }
    let pickle = Pickle::parse(protocol_4(&body)).unwrap();
    assert_eq!(pickle.value().items().unwrap().len(), 10);
    assert!(pickle.frame().is_err());
    drop(pickle);
    assert!(started.elapsed() < SOON);
}

#[test]
fn a_million_levels_do_not_recurse() {
    let started = Instant::now();
    for level in [&b"\x85"[..], b"\x94\x85", b"]\x94a"] {
        let tuples = level[0] != b']';
        let mut body = if tuples { b"N".to_vec() } else { Vec::new() };
        for _ in 0..1_000_000 {
            body.extend_from_slice(if tuples { level } else { b"]" });
        }
        if !tuples {
            body.extend_from_slice(&b"a".repeat(999_999));
        }
        let pickle = Pickle::parse(protocol_4(&body)).unwrap();
        assert_eq!(pickle.value().items().unwrap().len(), 1);
        assert!(pickle.frame().is_err() && pickle.value().array().is_err());
        assert!(format!("{pickle:?}").len() < 100);
    }
    let marks = Pickle::parse(protocol_4(&b"(".repeat(1_000_000))).unwrap_err();
    assert_eq!(
        marks.to_string(),
        "malformed pickle at byte 1000002: `STOP` on an empty stack"
    );
    assert!(started.elapsed() < SOON);
}

#[test]
fn cycles_are_harmless() {
    // A list that holds itself, a dictionary that is its own value, and an object that is its own state.
    let list = Pickle::parse(protocol_4(b"]\x94h\x00a")).unwrap();
    assert_eq!(
        list.value()
            .items()
            .unwrap()
            .next()
            .unwrap()
            .items()
            .unwrap()
            .len(),
        1
    );
    let dict = Pickle::parse(protocol_4(b"}\x94\x8c\x01ah\x00s")).unwrap();
    dict.value()
        .get("a")
        .unwrap()
        .get("a")
        .unwrap()
        .get("a")
        .unwrap();
    let frame = [
        &text("pandas")[..],
        &text("DataFrame"),
        b"\x93)\x81\x94h\x00b",
    ]
    .concat();
    let frame = Pickle::parse(protocol_4(&frame)).unwrap();
    assert_eq!(
        frame.frame().unwrap_err().to_string(),
        "malformed pickle at byte 23: a DataFrame without its `_mgr`"
    );
}

#[test]
fn bytes_made_of_one_text_are_made_once() {
    let started = Instant::now();
    // A megabyte of text, a million times over: a terabyte, were it made each time.
    let mut body = b"X\x40\x42\x0f\x00".to_vec();
    body.extend_from_slice(&b"a".repeat(1_000_000));
    body.extend_from_slice(b"q\x00X\x06\x00\x00\x00latin1q\x01c_codecs\nencode\nq\x02](");
    for _ in 0..100_000 {
        body.extend_from_slice(b"h\x02h\x00h\x01\x86R");
    }
    body.push(b'e');
    let pickle = Pickle::parse([b"\x80\x02", &body[..], b"."].concat()).unwrap();
    assert_eq!(pickle.value().items().unwrap().len(), 100_000);
    assert!(started.elapsed() < SOON);
}

#[test]
fn too_many_containers_are_refused() {
    let error = Pickle::parse(protocol_4(&b"]0".repeat(1 << 22)))
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("more than 4194304 lists, tuples and dictionaries"),
        "{error}"
    );
}

/// `_frombuffer(8 bytes, dtype("f8"), shape, "C")`
fn array(shape: &[u8]) -> Vec<u8> {
    let from_buffer = [
        text("numpy._core.numeric"),
        text("_frombuffer"),
        b"\x93(C\x08\0\0\0\0\0\0\xf0\x3f".to_vec(),
    ]
    .concat();
    let dtype = [
        text("numpy"),
        text("dtype"),
        b"\x93".to_vec(),
        text("f8"),
        b"\x85R".to_vec(),
    ]
    .concat();
    protocol_4(&[&from_buffer[..], &dtype, shape, b"\x8c\x01CtR"].concat())
}

#[test]
fn shapes_are_not_believed() {
    let pickle = Pickle::parse(array(b"K\x01\x85")).unwrap();
    assert_eq!(
        pickle
            .value()
            .array()
            .unwrap()
            .to_array1_f64()
            .unwrap()
            .to_vec(),
        [1.0]
    );
    let long = b"\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f";
    let shapes: [(Vec<u8>, &str); 6] = [
        (
            b"K\x02\x85".to_vec(),
            "an array of shape [2] with 1 elements",
        ),
        (b")K\x00\x85\x86".to_vec(), "expected a length"),
        (
            [long, &b"\x85"[..]].concat(),
            "an array of shape [9223372036854775807] with 1 elements",
        ),
        (
            [long, long, &b"\x86"[..]].concat(),
            "a shape beyond all memory",
        ),
        (b"J\xff\xff\xff\xff\x85".to_vec(), "`-1` as a length"),
        (
            [&b"("[..], &b"K\x01".repeat(65), b"t"].concat(),
            "more than 64 dimensions",
        ),
    ];
    for (shape, expected) in shapes {
        let error = Pickle::parse(array(&shape))
            .unwrap()
            .value()
            .array()
            .unwrap_err()
            .to_string();
        assert!(
            error.contains(expected) && error.contains("at byte "),
            "{error}"
        );
    }
    // No element, and more rows than anyone has memory for.
    let empty = [
        &text("numpy.core.multiarray")[..],
        &text("_reconstruct"),
        b"\x93",
        &text("numpy"),
        &text("ndarray"),
        b"\x93\x85R",
    ]
    .concat();
    let dtype = [
        &text("numpy")[..],
        &text("dtype"),
        b"\x93",
        &text("f8"),
        b"\x85R",
    ]
    .concat();
    let state = [&b"(K\x01"[..], long, b"K\x00\x86", &dtype, b"\x89C\x00tb"].concat();
    let pickle = Pickle::parse(protocol_4(&[empty, state].concat())).unwrap();
    let array = pickle.value().array().unwrap().to_array2_f64().unwrap();
    assert_eq!(array.len(), 0);
}

/// A frame of one column `a`, an object array that lists one text `n_rows` times.
fn frame_of_one_text(text_len: u32, n_rows: u32) -> Vec<u8> {
    let global = |module: &str, name: &str| [text(module), text(name), b"\x93".to_vec()].concat();
    let int = |n: u32| [&b"J"[..], &n.to_le_bytes()].concat();
    let object_array = |n_rows: u32, list: Vec<u8>| {
        [
            global("numpy.core.multiarray", "_reconstruct"),
            global("numpy", "ndarray"),
            b")\x8c\x01b\x87R(K\x01".to_vec(),
            int(n_rows),
            b"\x85".to_vec(),
            global("numpy", "dtype"),
            text("O8"),
            b"\x85R\x89".to_vec(),
            list,
            b"tb".to_vec(),
        ]
        .concat()
    };
    let index = |array: Vec<u8>| {
        [
            global("pandas.core.indexes.base", "_new_Index"),
            global("pandas.core.indexes.base", "Index"),
            b"}\x8c\x04data".to_vec(),
            array,
            b"s\x86R".to_vec(),
        ]
        .concat()
    };
    let cells = [
        &b"](X"[..],
        &text_len.to_le_bytes(),
        &b"x".repeat(text_len as usize),
        b"\x94",
        &b"h\x00".repeat(n_rows as usize - 1),
        b"e",
    ]
    .concat();
    let block = [
        global("pandas._libs.internals", "_unpickle_block"),
        b"(".to_vec(),
        object_array(n_rows, cells),
        global("builtins", "slice"),
        b"K\x00K\x01K\x01\x87RK\x02tR".to_vec(),
    ]
    .concat();
    let manager = [
        global("pandas.core.internals.managers", "BlockManager"),
        block,
        b"\x85](".to_vec(),
        index(object_array(1, b"]\x8c\x01aa".to_vec())),
        index(object_array(0, b"]".to_vec())),
        b"e\x86R".to_vec(),
    ]
    .concat();
    let frame = [
        global("pandas", "DataFrame"),
        b")\x81}\x8c\x04_mgr".to_vec(),
        manager,
        b"sb".to_vec(),
    ]
    .concat();
    protocol_4(&frame)
}

#[test]
fn what_would_become_more_than_the_budget_is_refused() {
    let small = Budget::of(1 << 20);
    // 12 kB, which mention a kilobyte of text 5,000 times.
    let bomb = frame_of_one_text(1_000, 5_000);
    let pickle = Pickle::parse_within(bomb.clone(), small).unwrap();
    let error = pickle.frame().unwrap_err().to_string();
    assert!(
        error.starts_with("the frame would take ") && error.contains("CARROT_MEMORY_BUDGET"),
        "{error}"
    );
    let pickle = Pickle::parse_within(bomb, Budget::of(8 << 20)).unwrap();
    let frame = pickle.frame().unwrap();
    let texts = frame.column("a").unwrap().as_text().unwrap();
    assert_eq!(texts.len(), 5_000);

    // A file that fits while what is built of it does not.
    let lists = protocol_4(&b"]0".repeat(200_000));
    let error = Pickle::parse_within(lists, small).unwrap_err().to_string();
    assert!(
        error.starts_with("the pickle's values would take"),
        "{error}"
    );
}

#[test]
fn lone_surrogates_are_an_error_only_where_text_is_asked_for() {
    // Python writes U+D83D alone as ED A0 BD.
    let pickle = Pickle::parse(protocol_4(b"\x8c\x01a\x8c\x03\xed\xa0\xbd\x86")).unwrap();
    let items: Vec<_> = pickle.value().items().unwrap().collect();
    assert_eq!(items[0].as_str().unwrap(), "a");
    assert_eq!(
        items[1].as_str().unwrap_err().to_string(),
        "expected text at byte 7, found text that is not UTF-8"
    );
}
