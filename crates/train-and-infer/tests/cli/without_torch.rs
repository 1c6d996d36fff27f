use dataset::CostKind;

use crate::bench::{Tiny, names};

#[test]
fn routers_on_embeddings_need_no_libtorch_and_the_others_say_so() {
    let bench = Tiny::new(CostKind::OutputTokens);
    bench.fit("carrot-knn,mf,rorf", &[], 0);
    assert_eq!(
        names(&bench.path().join("models/tiny")),
        ["carrot-knn", "mf", "rorf"]
    );
    let message = bench.fit("carrot-roberta", &[], 2);
    assert!(message.contains("needs libtorch"), "{message}");
    let message = bench.fit("all", &[], 1);
    for router in ["carrot-roberta", "roberta-binary"] {
        let expected = format!("leaving out `{router}`: it needs libtorch");
        assert!(message.contains(&expected), "{message}");
    }
}
