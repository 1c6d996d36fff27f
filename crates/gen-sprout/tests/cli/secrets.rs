//! A planted token and a planted password: whatever the hub says and however much is logged, neither is shown or written.

use test_support::{Bench, Fault, Hub, LOG_LEVELS, Planted, Stage, Wrong, assert_contains, stderr};

use crate::hub::{REPO, bench, tree};

const TOKEN: &str = "hf_plantedToken0123";
const PASSWORD: &str = "planted-password";
const PLANTED: Planted = Planted(&["plantedToken0123", PASSWORD]);
const ARGS: [&str; 2] = ["--prices", "p.toml"];

fn with_secrets(url: &str) -> Bench {
    bench()
        .hub(url)
        .var("HF_TOKEN", TOKEN)
        .var("HTTPS_PROXY", format!("http://user:{PASSWORD}@127.0.0.1:9"))
        .var("NO_PROXY", "127.0.0.1")
}

#[test]
fn runs_that_succeed_show_no_secret() {
    for level in LOG_LEVELS {
        let hub = Hub::start().dataset(REPO, tree()).gate(REPO, TOKEN);
        let bench = with_secrets(&hub.url()).var("CARROT_LOG", level);
        let output = bench.succeed(&ARGS);
        assert!(hub.seen().iter().any(|seen| seen.has_token), "it was sent");
        PLANTED.assert_hidden(&bench, &output, level);
    }
}

#[test]
fn hubs_that_echo_secrets_do_not_show_them() {
    let echo = format!("you: Bearer {TOKEN}, user:{PASSWORD}");
    let said = || vec![("x-error-message", echo.clone())];
    let elsewhere = format!("http://u:{PASSWORD}@127.0.0.1:9/{TOKEN}");
    let json = format!(r#"{{"error": "{echo}"}}"#);
    let faults = [
        Fault::new(Stage::Listing, Wrong::Status(401, said())),
        Fault::new(Stage::Listing, Wrong::Status(403, said())),
        Fault::new(Stage::Listing, Wrong::Status(404, said())),
        Fault::new(Stage::Listing, Wrong::Instead(json.into_bytes())),
        Fault::new(Stage::Metadata, Wrong::Status(403, said())),
        Fault::new(
            Stage::Redirect,
            Wrong::Status(307, vec![("location", elsewhere)]),
        ),
        Fault::new(Stage::Content, Wrong::Altered),
    ];
    for fault in faults {
        let hub = Hub::start().dataset(REPO, tree()).gate(REPO, TOKEN);
        hub.break_next(fault.clone());
        // All that is logged at any level.
        let bench = with_secrets(&hub.url()).var("CARROT_LOG", "trace");
        let output = bench.run(&ARGS);
        PLANTED.assert_hidden(&bench, &output, &format!("{fault:?}"));
    }
}

#[test]
fn an_address_with_a_password_is_shown_without_it() {
    let hub = Hub::start().token(TOKEN);
    let with_password = hub.url().replace("//", &format!("//me:{PASSWORD}@"));
    for (address, shown) in [
        (with_password, REPO),
        (format!("htp//me:{PASSWORD}@hub example"), "HF_ENDPOINT"),
    ] {
        let bench = with_secrets(&address).var("CARROT_LOG", "trace");
        let output = bench.run(&ARGS);
        assert_eq!(output.status.code(), Some(1));
        assert_contains(&stderr(&output), shown);
        PLANTED.assert_hidden(&bench, &output, &address);
    }
}
