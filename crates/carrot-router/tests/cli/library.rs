//! The library in a program of one's own.

use std::{sync::Arc, thread};

use carrot_router::{CarrotRouter, EmbeddingSource, Setup};
use dataset::CostKind;
use encoder::DeviceChoice;

use crate::bench::{PROMPTS, Tiny};

/// `choose` of the example is what is tested; its `main` is run by people.
#[path = "../../examples/route.rs"]
#[expect(dead_code, reason = "`main` is not called")]
mod example;

fn open(bench: &Tiny) -> CarrotRouter {
    let embedder = bench.join("models/tiny-bert");
    let source = EmbeddingSource::Folder(&embedder);
    let setup = Setup::on(DeviceChoice::Cpu);
    CarrotRouter::open_saved(&bench.router(), source, &setup).expect("opened")
}

#[test]
fn the_example_chooses() {
    let bench = Tiny::new(CostKind::Usd);
    // The embedder is found by its name in the models folder, whatever the working folder is.
    let chosen = example::choose(&bench.router(), PROMPTS[1], 0.0).expect("chosen");
    assert_eq!(chosen, "cheap: score 0.75, $0.002000");
    let chosen = example::choose(&bench.router(), PROMPTS[0], 0.0).expect("chosen");
    assert_eq!(chosen, "owner/dear: score 0.90, $0.020000");
}

#[test]
fn one_router_answers_every_thread_alike() {
    let bench = Tiny::new(CostKind::OutputTokens);
    let router = Arc::new(open(&bench));
    let prompts: Vec<String> = (0..40)
        .map(|n| format!("{} {n}", PROMPTS[n % PROMPTS.len()]))
        .collect();
    let alone: Vec<_> = prompts
        .iter()
        .map(|prompt| router.explain(prompt, 0.3).expect("decided"))
        .collect();
    thread::scope(|scope| {
        let ask = || {
            let router = Arc::clone(&router);
            let (prompts, alone) = (&prompts, &alone);
            scope.spawn(move || {
                for (prompt, alone) in prompts.iter().zip(alone) {
                    assert_eq!(&router.explain(prompt, 0.3).expect("decided"), alone);
                }
            })
        };
        let threads: Vec<_> = (0..4).map(|_| ask()).collect();
        for thread in threads {
            thread.join().expect("no panic");
        }
    });
}
