//! Answers without an end, and numbers that are too large.

use std::fs;

use hub::HubError;
use test_support::{Fault, Stage, Tree, Wrong};

use crate::{DATASET, LARGE, SMALL, blobs, client, dataset, large_bytes, server, temporary};

#[test]
fn a_body_beyond_its_announced_size_is_cut_off() {
    for (stage, path) in [(Stage::Content, SMALL), (Stage::Content, LARGE)] {
        let endless = Wrong::Instead(vec![b'x'; 5_000_000]);
        let server = server().fault(Fault::new(stage, endless).always());
        let cache = temporary();
        let hub = client(&server, cache.path());
        let error = hub
            .file(&dataset(), path)
            .expect_err("too long")
            .to_string();
        let size = if path == SMALL { 7 } else { 200_003 };
        let expected = format!("arrived broken: size `more than {size}`, expected `{size}`");
        assert!(error.contains(&expected), "{error}");
        for (name, length) in blobs(cache.path()) {
            assert!(length <= size, "{name} has {length} bytes");
        }
        server.repair();
        hub.file(&dataset(), path).expect("repaired");
    }
}

#[test]
fn a_size_that_only_the_listing_has_counts() {
    let unsized_head = || Wrong::Header("x-linked-size", "unknown".to_owned());
    let server = server()
        .fault(Fault::new(Stage::Metadata, unsized_head()).always())
        .fault(Fault::new(Stage::Content, Wrong::Cut(1_000)));
    let cache = temporary();
    let path = client(&server, cache.path()).file(&dataset(), LARGE);
    assert!(fs::read(path.expect("downloaded")).expect("read") == large_bytes());
    // So that what was left could be resumed.
    let resumed = server.seen().into_iter().find_map(|seen| seen.range);
    assert_eq!(resumed.as_deref(), Some("bytes=1000-"));
}

#[test]
fn sizes_that_no_disk_has_are_refused_before_the_download() {
    let listing = |size: &str| {
        let body = format!(
            r#"{{"sha": "0a", "siblings": [{{"rfilename": "a", "size": {size}}}, {{"rfilename": "b", "size": {size}}}]}}"#
        );
        Fault::new(Stage::Listing, Wrong::Instead(body.into_bytes())).always()
    };
    for (size, expected) in [
        (
            "18446744073709551615",
            "2 files, 18.4 EB to download, but `",
        ),
        ("9223372036854775808", "2 files, 18.4 EB to download, but `"),
        ("1000000000000000000", "2 files, 2.0 EB to download, but `"),
        ("18446744073709551616", "the hub's answer cannot be used: "),
        ("-1", "the hub's answer cannot be used: "),
        ("1.5", "the hub's answer cannot be used: "),
    ] {
        let server = server().fault(listing(size));
        let cache = temporary();
        let hub = client(&server, cache.path());
        let error = hub.files(&dataset(), &["a", "b"]).expect_err(size);
        assert!(error.to_string().contains(expected), "{size}: {error}");
        let n_asked = server.seen().len();
        assert_eq!(n_asked, 1, "only the listing");
    }
}

#[test]
fn headers_with_numbers_that_are_too_large_do_no_harm() {
    for (stage, name, value) in [
        (Stage::Metadata, "x-linked-size", "18446744073709551615"),
        (Stage::Metadata, "x-linked-size", "18446744073709551616"),
        (Stage::Metadata, "x-linked-size", "-1"),
        (Stage::Metadata, "etag", "\"..\""),
        (Stage::Metadata, "x-linked-etag", "\"a/b\""),
        (
            Stage::Content,
            "content-range",
            "bytes 18446744073709551616-/*",
        ),
        (Stage::Content, "content-length", "99999999999999999999"),
        (Stage::Redirect, "location", "http://[::1"),
    ] {
        let wrong = Wrong::Header(name, value.to_owned());
        let server = server().fault(Fault::new(stage, wrong).always());
        let cache = temporary();
        // Whatever comes of it: a file as it should be, or an error.
        if let Ok(path) = client(&server, cache.path()).file(&dataset(), LARGE) {
            assert!(
                fs::read(path).expect("read") == large_bytes(),
                "{name}: {value}"
            );
        }
    }
}

#[test]
fn a_listing_without_an_end_is_refused() {
    let endless = Wrong::Instead(vec![b' '; 100_000_001]);
    let server = server().fault(Fault::new(Stage::Listing, endless).always());
    let cache = temporary();
    let error = client(&server, cache.path())
        .list(&dataset())
        .expect_err("too long");
    assert!(
        matches!(&error, HubError::Malformed { problem, .. } if problem == "a listing of more than 100.0 MB"),
        "{error}"
    );
    assert_eq!(server.seen().len(), 1, "it is not asked for again");
}

#[test]
fn a_login_page_instead_of_an_answer_is_recognized() {
    let page = b"<!DOCTYPE html><html><title>Sign in</title></html>".to_vec();
    let server = server().fault(Fault::new(Stage::Listing, Wrong::Instead(page)));
    let cache = temporary();
    let error = client(&server, cache.path())
        .list(&dataset())
        .expect_err("a page");
    assert!(
        error
            .to_string()
            .contains("a web page and no listing; look whether HF_ENDPOINT is right"),
        "{error}"
    );
}

#[test]
fn what_a_server_says_is_shown_without_secrets_and_control_characters() {
    let echo = "no access: Bearer hf_very_secret, at aGZfdmVyeV9zZWNyZXQ=";
    let server = test_support::Hub::start()
        .dataset(DATASET, Tree::default())
        .token("hf_very_secret")
        .fault(Fault::new(
            Stage::Listing,
            Wrong::Status(403, vec![("x-error-message", echo.to_owned())]),
        ))
        .fault(Fault::new(
            Stage::Listing,
            Wrong::Instead(br#"{"sha": "\u001b[31m/hf_very_secret"}"#.to_vec()),
        ));
    let cache = temporary();
    let hub = hub::Hub {
        token: Some("hf_very_secret".to_owned()),
        ..client(&server, cache.path())
    };
    for _ in 0..2 {
        let error = hub.list(&dataset()).expect_err("refused");
        let text = format!("{error} {error:?}");
        assert!(text.contains("***"), "{text}");
        for secret in ["hf_very", "aGZfdmVy", "\u{1b}"] {
            assert!(!text.contains(secret), "{text}");
        }
    }
}
