//! Planted keys, tokens and passwords: whatever goes wrong and however much is logged, none is shown or written.

use std::process::Output;

use test_support::{Bench, EmbeddingFault, LOG_LEVELS, OpenAi, Planted, assert_contains, stderr};

use crate::bench::embed_with;

const MODEL: &str = "tiny";
const KEY: &str = "sk-planted-0123456789/+abc";
const TOKEN: &str = "hf_plantedToken0123";
const PASSWORD: &str = "planted-password";
const QUERY: &str = "planted-query-key";

/// A part of each secret that is long enough to be one.
const PLANTED: Planted = Planted(&["planted-0123456789", "plantedToken0123", PASSWORD, QUERY]);

fn bench(base_url: &str) -> Bench {
    let bench = Bench::new(env!("CARGO_BIN_EXE_gen-custom"))
        .var("OPENAI_BASE_URL", base_url)
        .var("HF_TOKEN", TOKEN)
        .var("HTTPS_PROXY", format!("http://user:{PASSWORD}@127.0.0.1:9"))
        .var("NO_PROXY", "127.0.0.1");
    let rows: Vec<String> = (0..20)
        .map(|i| format!("{i},question {i}?,1,0.5"))
        .collect();
    let table = format!("id,prompt,m/score,m/cost_usd\n{}\n", rows.join("\n"));
    bench.write("t.csv", table);
    // The key comes from a file with a line that is malformed, and one that is nothing but a secret.
    let env = format!("OPENAI_API_KEY='{KEY}'\nOTHER_KEY={PASSWORD} {PASSWORD}\n{PASSWORD}\n");
    bench.write(".env", env);
    bench
}

fn run(bench: &Bench, level: &str) -> Output {
    let args = [&embed_with(MODEL)[..], &["--force"]].concat();
    let mut command = bench.command(&args);
    command.env("CARROT_LOG", level);
    command.output().expect("the program starts")
}

fn server() -> OpenAi {
    OpenAi::start().model(MODEL, 8).key(KEY)
}

#[test]
fn runs_that_succeed_show_no_secret() {
    for level in LOG_LEVELS {
        let server = server();
        let bench = bench(&format!("{}?api={QUERY}", server.url()));
        let output = run(&bench, level);
        assert!(output.status.success(), "{}", stderr(&output));
        PLANTED.assert_hidden(&bench, &output, level);
    }
}

#[test]
fn servers_that_echo_secrets_do_not_show_them() {
    let percent = "sk%2Dplanted%2D0123456789%2F%2Babc";
    let echo =
        format!("you: {{authorization}}, {KEY}, {percent}, user:{PASSWORD}, {QUERY}, {TOKEN}");
    let faults = [
        EmbeddingFault::refusal(401, &echo),
        EmbeddingFault::refusal(404, &echo),
        EmbeddingFault::refusal(400, &echo),
        EmbeddingFault::refusal(422, &echo),
        EmbeddingFault::refusal(429, &echo).with_code("insufficient_quota"),
        EmbeddingFault::refusal(429, &echo).with_header("retry-after", 86_400),
        EmbeddingFault::refusal(307, &echo).with_header(
            "location",
            format!("http://u:{PASSWORD}@h/{QUERY}/embeddings"),
        ),
        EmbeddingFault::Garbage(format!(r#"{{"error":{{"message":"{echo}"}}}}"#)),
        EmbeddingFault::Garbage(format!(r#"{{"data":"{KEY}"}}"#)),
    ];
    for fault in faults {
        for level in ["info", "trace"] {
            let of_server = fault.clone();
            let server = server().fault(move |_| Some(of_server.clone()));
            let bench = bench(&format!("{}?api={QUERY}", server.url()));
            let output = run(&bench, level);
            assert!(!output.status.success(), "{fault:?}");
            PLANTED.assert_hidden(&bench, &output, &format!("{fault:?} at {level}"));
        }
    }
}

#[test]
fn addresses_with_secrets_are_shown_without_them() {
    for (address, shown) in [
        (
            format!("http://me:{PASSWORD}@127.0.0.1:9/v1"),
            "`http://127.0.0.1:9`",
        ),
        (
            format!("http://me:p/{PASSWORD}@127.0.0.1/v1"),
            "`http://***`",
        ),
        (format!("me:{PASSWORD}@127.0.0.1/v1"), "`***`"),
        (
            format!("ftp://me:{PASSWORD}@127.0.0.1/v1"),
            "`ftp://127.0.0.1`",
        ),
        (KEY.to_owned(), "`***`"),
    ] {
        for level in ["info", "trace"] {
            let bench = bench(&address);
            let output = run(&bench, level);
            assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
            assert_contains(&stderr(&output), shown);
            PLANTED.assert_hidden(&bench, &output, level);
        }
    }
}

/// A server's answers: two runs against two servers with the same model's name.
#[test]
fn embeddings_of_a_trial_server_are_not_served_to_a_run_against_the_real_one() {
    let [trial, real] = [server(), server()];
    let mut bench = bench(&trial.url());
    for (server, n_requests) in [(&trial, 2), (&real, 2), (&real, 2), (&trial, 2)] {
        bench.set_var("OPENAI_BASE_URL", server.url());
        let output = run(&bench, "info");
        assert!(output.status.success(), "{}", stderr(&output));
        assert_eq!(server.n_requests(), n_requests);
    }
    let args = [&embed_with(MODEL)[..], &["--force", "--refresh-embeddings"]].concat();
    bench.succeed(&args);
    assert_eq!(trial.n_requests(), 4, "all are asked for once more");
}
