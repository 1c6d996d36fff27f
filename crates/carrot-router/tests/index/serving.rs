use dataset::CostKind;
use test_support::{Postgres, stderr};

use crate::{
    bench::Tiny,
    index,
    world::{CHAT, FOR_CHEAP, FOR_DEAR, Llms, Serve, chat},
};

/// The server asks the index from within its own asynchronous threads, and for many clients at once.
#[test]
fn a_server_routes_by_an_index() {
    let shards = [Postgres::start(), Postgres::start()];
    let urls = shards.each_ref().map(Postgres::url);
    let bench = Tiny::new(CostKind::OutputTokens);
    let report = index(&bench, &urls, &["--exact"]);
    assert!(report.status.success(), "{}", stderr(&report));
    let llms = Llms::good();
    let config = llms
        .config(0.0, "")
        .replace("tiny/carrot-knn", "tiny/carrot-knn-index");
    let addresses = urls.join(" ");
    let serve = Serve::start_in(bench, &config, &[], &[("CARROT_INDEX", &addresses)]);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for (prompt, model) in [(FOR_DEAR, "owner/dear"), (FOR_CHEAP, "cheap")] {
                    let reply = serve.post(CHAT, &chat("carrot", prompt));
                    assert_eq!(
                        reply.header("x-carrot-model"),
                        Some(model),
                        "{}",
                        serve.said()
                    );
                }
            });
        }
    });
    assert!(!serve.said().contains(Postgres::PASSWORD));
}
