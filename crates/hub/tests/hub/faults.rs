//! Each way in which a download goes wrong.

use std::{fs, time::Duration};

use hub::{Hub, HubError};
use test_support::{Fault, Stage, Wrong};

use crate::{LARGE, SMALL, blobs, client, dataset, large_bytes, server, temporary};

/// The ranges in which the large file was asked for.
fn ranges(server: &test_support::Hub) -> Vec<Option<String>> {
    let contents = server
        .seen()
        .into_iter()
        .filter(|seen| seen.stage == Some(Stage::Content));
    contents.map(|seen| seen.range).collect()
}

fn range(start: u64) -> Option<String> {
    Some(format!("bytes={start}-"))
}

#[test]
fn a_download_survives_each_fault() {
    let asked_to_wait = || Wrong::Status(429, vec![("retry-after", "0".to_owned())]);
    for (fault, expected) in [
        (
            Fault::new(Stage::Listing, asked_to_wait()).times(3),
            vec![None],
        ),
        (Fault::status(Stage::Listing, 502).times(5), vec![None]),
        (
            Fault::new(Stage::Listing, Wrong::Hangup).times(2),
            vec![None],
        ),
        (
            Fault::new(Stage::Listing, Wrong::Cut(20)).times(2),
            vec![None],
        ),
        (
            Fault::new(Stage::Metadata, asked_to_wait()).times(5),
            vec![None],
        ),
        (Fault::new(Stage::Metadata, Wrong::Hangup), vec![None]),
        (Fault::status(Stage::Redirect, 500).times(2), vec![None]),
        (Fault::status(Stage::Content, 503), vec![None, None]),
        (Fault::new(Stage::Content, Wrong::Hangup), vec![None, None]),
        (
            // Before the first byte, and again in the middle, oftener than a fault without progress is forgiven.
            Fault::new(Stage::Content, Wrong::Cut(20_000)).times(9),
            (0..10)
                .map(|i| if i == 0 { None } else { range(20_000 * i) })
                .collect(),
        ),
        (
            Fault::new(Stage::Content, Wrong::Short),
            vec![None, range(100_001)],
        ),
        (Fault::new(Stage::Content, Wrong::Altered), vec![None, None]),
    ] {
        let server = server().fault(fault.clone());
        let cache = temporary();
        let hub = client(&server, cache.path());
        let path = hub
            .file(&dataset(), LARGE)
            .unwrap_or_else(|error| panic!("{fault:?}: {error}"));
        assert!(fs::read(path).expect("read") == large_bytes(), "{fault:?}");
        assert_eq!(ranges(&server), expected, "{fault:?}");
        let names: Vec<_> = blobs(cache.path())
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        assert!(
            names.len() == 1 && names[0].len() == 64,
            "{fault:?} left {names:?}"
        );
    }
}

#[test]
fn a_fault_that_stays_is_an_error_and_leaves_no_file() {
    for (fault, path, expected) in [
        (
            Fault::status(Stage::Listing, 503),
            SMALL,
            "data set `owner/data`: the hub answers 503",
        ),
        (
            Fault::status(Stage::Content, 429),
            LARGE,
            "data set `owner/data`: the hub answers 429",
        ),
        (
            Fault::new(Stage::Content, Wrong::Altered),
            LARGE,
            "`data/train-00000-of-00001.parquet` of data set `owner/data` arrived broken: SHA-256 ",
        ),
        (
            Fault::new(Stage::Content, Wrong::Altered),
            SMALL,
            "`README.md` of data set `owner/data` arrived broken: git blob ",
        ),
        (
            Fault::new(Stage::Content, Wrong::Cut(0)),
            LARGE,
            "data set `owner/data`: no whole answer from `http://127.0.0.1:",
        ),
    ] {
        let server = server().fault(fault.clone().always());
        let cache = temporary();
        let hub = client(&server, cache.path());
        let error = hub
            .file(&dataset(), path)
            .expect_err("it stays")
            .to_string();
        assert!(error.starts_with(expected), "{error}");
        assert_eq!(hub.cached_file(&dataset(), path), None);
        let names = blobs(cache.path()).into_iter().map(|(name, _)| name);
        for name in names {
            assert!(name.ends_with(".incomplete"), "{name}");
        }
        assert!(
            server.seen().len() < 20,
            "{fault:?} was tried {} times",
            server.seen().len()
        );
        // The next run is none the worse for it.
        server.repair();
        hub.file(&dataset(), path).expect("repaired");
    }
}

#[test]
fn a_stalled_connection_is_given_up_and_a_slow_one_is_not() {
    let stall = Wrong::Late(Duration::from_secs(3));
    let pause = Duration::from_millis(60);
    for (wrong, expected) in [
        (stall, vec![None, None]),
        // 13 pieces: longer in all than the wait for any one byte may be.
        (Wrong::Slow(pause), vec![None]),
    ] {
        let server = server().fault(Fault::new(Stage::Content, wrong));
        let cache = temporary();
        let hub = Hub {
            read_timeout: Duration::from_millis(600),
            ..client(&server, cache.path())
        };
        let path = hub.file(&dataset(), LARGE).expect("downloaded");
        assert!(fs::read(path).expect("read") == large_bytes());
        assert_eq!(ranges(&server), expected);
    }
}

/// What an earlier process left of the large file.
#[test]
fn what_was_left_is_resumed_only_where_it_fits() {
    let whole = large_bytes();
    let wrong_start = [vec![0; 1000], whole[1000..50_000].to_vec()].concat();
    for (left, fault, expected) in [
        (whole[..50_000].to_vec(), None, vec![range(50_000)]),
        (Vec::new(), None, vec![None]),
        // All but the name.
        (whole.clone(), None, vec![]),
        // Longer than the file.
        ([&whole[..], b"more"].concat(), None, vec![None]),
        // Of another file, which only the hash tells.
        (wrong_start, None, vec![range(50_000), None]),
        (vec![7; whole.len()], None, vec![None]),
        // The server answers with all of it.
        (
            whole[..50_000].to_vec(),
            Some(Wrong::WholeFile),
            vec![range(50_000)],
        ),
        (
            whole[..50_000].to_vec(),
            Some(Wrong::Status(416, Vec::new())),
            vec![range(50_000), None],
        ),
        // With another range than was asked for.
        (
            whole[..50_000].to_vec(),
            Some(Wrong::Status(
                206,
                vec![("content-range", "bytes 0-0/200003".to_owned())],
            )),
            vec![range(50_000), None],
        ),
        (
            whole[..50_000].to_vec(),
            Some(Wrong::Cut(16_384)),
            vec![range(50_000), range(66_384)],
        ),
        (
            whole[..50_000].to_vec(),
            Some(Wrong::Hangup),
            vec![range(50_000), range(50_000)],
        ),
    ] {
        let (server, cache) = (server(), temporary());
        let hub = client(&server, cache.path());
        let etag = {
            let other = temporary();
            client(&server, other.path())
                .file(&dataset(), LARGE)
                .expect("downloaded");
            blobs(other.path()).remove(0).0
        };
        let folder = cache.path().join("datasets--owner--data/blobs");
        fs::create_dir_all(&folder).expect("made");
        fs::write(folder.join(format!("{etag}.incomplete")), &left).expect("written");
        server.forget();
        if let Some(wrong) = fault.clone() {
            server.break_next(Fault::new(Stage::Content, wrong));
        }
        let path = hub.file(&dataset(), LARGE).expect("downloaded");
        assert!(
            fs::read(path).expect("read") == whole,
            "{} {fault:?}",
            left.len()
        );
        assert_eq!(ranges(&server), expected, "{} {fault:?}", left.len());
        assert_eq!(blobs(cache.path()), [(etag, whole.len() as u64)]);
    }
}

#[test]
fn a_blob_that_another_program_cut_short_is_downloaded_again() {
    let (server, cache) = (server(), temporary());
    let hub = client(&server, cache.path());
    let path = hub.file(&dataset(), LARGE).expect("downloaded");
    let (etag, _) = blobs(cache.path()).remove(0);
    let blob = cache.path().join("datasets--owner--data/blobs").join(etag);
    fs::write(&blob, "cut").expect("written");
    fs::remove_file(&path).expect("removed");
    let path = hub.file(&dataset(), LARGE).expect("downloaded");
    assert!(fs::read(&path).expect("read") == large_bytes());
    // A link whose blob was deleted.
    fs::remove_file(&blob).expect("removed");
    let path = hub.file(&dataset(), LARGE).expect("downloaded");
    assert!(fs::read(path).expect("read") == large_bytes());
}

#[test]
fn one_broken_file_among_many_is_named_and_the_others_stay() {
    let server = server().fault(
        Fault::new(Stage::Content, Wrong::Altered)
            .of(SMALL)
            .always(),
    );
    let cache = temporary();
    let hub = client(&server, cache.path());
    let error = hub.files(&dataset(), &[LARGE, SMALL]).expect_err("broken");
    assert!(
        matches!(&error, HubError::Broken { file, .. } if file == SMALL),
        "{error}"
    );
    server.repair();
    server.forget();
    hub.files(&dataset(), &[LARGE, SMALL]).expect("downloaded");
    let again = server.seen().into_iter().any(|seen| seen.is_storage);
    assert!(!again, "the large file was there");
}
