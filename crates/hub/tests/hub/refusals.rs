//! What the hub refuses, what is said about it, and who sees the token.

use hub::{Hub, HubError, HubRepo};
use test_support::{Fault, Stage, Wrong};

use crate::{LARGE, SMALL, client, dataset, server, temporary, tree};

/// The error of asking for a file, in words. It never has the token.
fn refusal(server: &test_support::Hub, token: Option<&str>, repo: &HubRepo, path: &str) -> String {
    let cache = temporary();
    let hub = Hub {
        token: token.map(str::to_owned),
        ..client(server, cache.path())
    };
    let error = hub.file(repo, path).expect_err("refused");
    for text in [error.to_string(), format!("{error:?}"), format!("{hub:?}")] {
        assert!(token.is_none_or(|token| !text.contains(token)), "{text}");
    }
    // As a program carries and logs it.
    format!("{:#}", anyhow::Error::from(error)).replace(&server.url(), "HUB")
}

#[test]
fn each_refusal_says_what_to_do() {
    let server = server()
        .model("meta/gated", tree())
        .gate("meta/gated", "hf_good")
        .dataset("me/secret", tree())
        .private("datasets/me/secret", "hf_good")
        .token("hf_other");
    let (gated, secret) = (HubRepo::model("meta/gated"), HubRepo::dataset("me/secret"));
    for (token, repo, path, expected) in [
        (
            None,
            gated.clone(),
            LARGE,
            "model `meta/gated` is gated: accept the license at HUB/meta/gated, and set HF_TOKEN to a token of that account",
        ),
        (
            Some("hf_other"),
            gated,
            SMALL,
            "model `meta/gated` is gated: the token in use has no access; accept the license at HUB/meta/gated with its \
             account, and let the token read gated repositories",
        ),
        (
            Some("hf_guess"),
            dataset(),
            SMALL,
            "the hub does not accept the token in use: set HF_TOKEN to one that is valid, or to none for what is public",
        ),
        (
            Some("two words"),
            dataset(),
            SMALL,
            "the hub does not accept the token in use: set HF_TOKEN to one that is valid, or to none for what is public",
        ),
        (
            None,
            secret.clone(),
            SMALL,
            "the hub has no data set `me/secret`, or it is private (HF_TOKEN is not set): look at HUB/datasets/me/secret",
        ),
        (
            Some("hf_other"),
            secret,
            SMALL,
            "the hub has no data set `me/secret`, or it is private (the token in use does not open it): look at \
             HUB/datasets/me/secret",
        ),
        (
            None,
            dataset(),
            "none.json",
            "data set `owner/data` on the hub has no file `none.json`",
        ),
        (
            None,
            dataset().at("v2"),
            SMALL,
            "data set `owner/data` has no revision `v2`",
        ),
        (
            None,
            HubRepo::dataset("../x"),
            SMALL,
            "`../x` at `main` is no name of a repository: expected `owner/name`",
        ),
    ] {
        assert_eq!(refusal(&server, token, &repo, path), expected);
    }
}

#[test]
fn refusals_without_a_reason_pass_on_what_the_server_says() {
    for (status, expected) in [
        (
            403,
            "the hub refuses data set `owner/data` with 403 (`no`): look at HUB/datasets/owner/data for a license to accept, and \
             set HF_TOKEN to a token with access",
        ),
        (418, "data set `owner/data`: the hub answers 418 (`no`)"),
        (
            404,
            "data set `owner/data` on the hub has no file `README.md`",
        ),
    ] {
        let wrong = Wrong::Status(status, vec![("x-error-message", "no".to_owned())]);
        let server = server().fault(Fault::new(Stage::Metadata, wrong).always());
        assert_eq!(refusal(&server, None, &dataset(), SMALL), expected);
        let n = server
            .seen()
            .iter()
            .filter(|seen| seen.stage == Some(Stage::Metadata))
            .count();
        assert_eq!(n, 1, "{status} is not tried again");
    }
}

#[test]
fn a_gated_repository_opens_with_its_token_and_hands_it_to_no_other_host() {
    let server = server().gate("datasets/owner/data", "hf_good");
    let cache = temporary();
    let hub = Hub {
        token: Some("hf_good".to_owned()),
        ..client(&server, cache.path())
    };
    hub.files(&dataset(), &[LARGE, SMALL]).expect("opened");
    let seen = server.seen();
    assert!(
        seen.iter().any(|seen| seen.is_storage),
        "the large file was there"
    );
    for request in seen {
        assert_eq!(request.has_token, !request.is_storage, "{request:?}");
    }

    // Its access was taken away since: what is here stays of use.
    let stranger = Hub { token: None, ..hub };
    server.commit("datasets/owner/data", tree().with(SMALL, "new"));
    assert!(stranger.file(&dataset(), SMALL).is_ok());
    let other = temporary();
    let empty = client(&server, other.path());
    let error = empty.file(&dataset(), SMALL).expect_err("gated");
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
}
