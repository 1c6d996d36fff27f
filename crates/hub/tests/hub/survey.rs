//! What is known before anything is downloaded.

use std::fs;

use hub::{Hub, HubError, Needed, WantedFile};
use test_support::{Fault, Stage, Wrong};

use crate::{LARGE, SMALL, client, dataset, server, temporary, tree};

/// Requests for bytes of files.
fn n_downloads(server: &test_support::Hub) -> usize {
    let is_download =
        |seen: &test_support::Seen| matches!(seen.stage, Some(Stage::Content | Stage::Redirect));
    server
        .seen()
        .iter()
        .filter(|seen| is_download(seen))
        .count()
}

fn survey(hub: &Hub, paths: &[&str]) -> Result<Needed, HubError> {
    let listing = hub.list(&dataset())?;
    hub.survey(&dataset(), &listing, paths)
}

#[test]
fn what_the_cache_lacks_is_counted_and_not_downloaded() {
    let (server, cache) = (server(), temporary());
    let hub = client(&server, cache.path());
    let all = [SMALL, LARGE, LARGE];
    let needed = survey(&hub, &all).expect("available");
    assert_eq!(needed.to_string(), "2 files, 200.0 kB");
    assert_eq!((needed.n_bytes, n_downloads(&server)), (200_010, 0));

    // What is there does not count, nor what is there in part.
    hub.file(&dataset(), SMALL).expect("downloaded");
    assert_eq!(survey(&hub, &all).expect("available").n_bytes, 200_003);
    server.break_next(Fault::new(Stage::Content, Wrong::Cut(50_000)));
    server.break_next(Fault::status(Stage::Redirect, 404).after(1));
    hub.file(&dataset(), LARGE).expect_err("cut off");
    assert_eq!(survey(&hub, &all).expect("available").n_bytes, 150_003);
    server.repair();
    hub.files(&dataset(), &all).expect("downloaded");
    server.forget();
    assert!(survey(&hub, &all).expect("cached").is_nothing());
    assert_eq!(server.seen().len(), 1, "only the listing");

    // The bytes of another commit serve for the next one as well.
    server.commit("datasets/owner/data", tree().with(SMALL, "new"));
    let needed = survey(&hub, &all).expect("available");
    assert_eq!((needed.n_files, needed.n_bytes), (2, 3));
    let listing = hub.list(&dataset()).expect("listed");
    let files = hub
        .files_of(&dataset(), &listing, &all)
        .expect("downloaded");
    assert_eq!(fs::read(&files[0]).expect("read"), b"new");
}

#[test]
fn a_gate_is_found_before_the_download() {
    let (server, cache) = (server().gate("datasets/owner/data", "hf_good"), temporary());
    let hub = client(&server, cache.path());
    let error = survey(&hub, &[LARGE]).expect_err("gated");
    assert!(
        matches!(
            error,
            HubError::Gated {
                has_token: false,
                ..
            }
        ),
        "{error}"
    );
    let error = survey(&hub, &["none"]).expect_err("missing");
    assert!(matches!(error, HubError::NoFile { .. }), "{error}");
    let member = Hub {
        token: Some("hf_good".to_owned()),
        ..hub.clone()
    };
    assert_eq!(survey(&member, &[LARGE]).expect("open").n_files, 1);
    assert_eq!(n_downloads(&server), 0);

    // What was downloaded before the gate was closed serves, as it does for a download.
    member.file(&dataset(), LARGE).expect("downloaded");
    server.commit("datasets/owner/data", tree().with(LARGE, "new"));
    assert!(survey(&hub, &[LARGE]).expect("cached").is_nothing());
    let offline = Hub {
        is_offline: true,
        ..hub
    };
    assert!(survey(&offline, &[LARGE]).expect("cached").is_nothing());
    let error = survey(&offline, &[SMALL]).expect_err("not cached");
    assert!(matches!(error, HubError::Offline { .. }), "{error}");
}

#[test]
fn models_are_surveyed_together() {
    let (server, cache) = (server(), temporary());
    let server = server
        .model("owner/one", tree())
        .model("owner/two", tree())
        .gate("owner/two", "hf_good");
    let hub = client(&server, cache.path());
    let folder = cache.path().to_str().expect("text");
    let wanted = [WantedFile::required(LARGE), WantedFile::optional("none")];
    let needed = hub.survey_models(&["owner/one", folder], &wanted);
    assert_eq!(needed.expect("available").to_string(), "1 file, 200.0 kB");
    let error = hub
        .survey_models(&["owner/one", "owner/two"], &wanted)
        .expect_err("gated");
    assert_eq!(error.name, "owner/two");
    assert!(matches!(error.source, HubError::Gated { .. }), "{error}");
    assert_eq!(n_downloads(&server), 0);
}

#[test]
fn a_token_that_has_run_out_is_told_from_one_without_access() {
    for (message, is_of_token) in [
        ("Invalid credentials in Authorization header", true),
        ("User Access Token \"laptop\" is expired", true),
        ("Please log in", false),
    ] {
        let refusal = Wrong::Status(401, vec![("x-error-message", message.to_owned())]);
        let server = server()
            .token("hf_good")
            .fault(Fault::new(Stage::Listing, refusal));
        let cache = temporary();
        let hub = Hub {
            token: Some("hf_good".to_owned()),
            ..client(&server, cache.path())
        };
        let error = hub.list(&dataset()).expect_err("refused");
        assert_eq!(matches!(error, HubError::BadToken), is_of_token, "{error}");
    }
}
