//! What is downloaded, where it lies, and what serves without the hub.

use std::{fs, path::PathBuf};

use hub::{Hub, HubRepo, WantedFile};
use test_support::{Fault, Stage, Tree};

use crate::{LARGE, SMALL, client, dataset, large_bytes, server, temporary, tree};

const UNREACHABLE: &str = "http://127.0.0.1:9";

#[test]
fn all_kinds_of_files_arrive_and_lie_where_python_has_them() {
    let (server, cache) = (server(), temporary());
    let hub = client(&server, cache.path());
    let listing = hub.list(&dataset()).expect("listed");
    let paths: Vec<&str> = listing.paths().collect();
    assert_eq!(paths, [SMALL, LARGE, "empty.txt", "with space & sign.json"]);
    assert_eq!(listing.file(LARGE).expect("there").size, Some(200_003));

    let files = hub.files(&dataset(), &paths).expect("downloaded");
    let root = cache.path().join("datasets--owner--data");
    let snapshot = root.join("snapshots").join(&listing.commit);
    let expected: Vec<PathBuf> = paths.iter().map(|path| snapshot.join(path)).collect();
    assert_eq!(files, expected);
    assert_eq!(fs::read(&files[1]).expect("read"), large_bytes());
    assert_eq!(fs::read(&files[2]).expect("read"), b"");
    assert_eq!(fs::read(&files[3]).expect("read"), b"{}");
    assert_eq!(
        fs::read_to_string(root.join("refs/main")).expect("read"),
        listing.commit
    );
    // SHA-1 of git for `# data\n`, by `git hash-object`.
    let blob = "../../blobs/652915abe19de71d04e33a7cfe24aeb533100f5c";
    #[cfg(unix)]
    assert_eq!(
        fs::read_link(&files[0]).expect("a link"),
        PathBuf::from(blob)
    );

    server.forget();
    assert_eq!(hub.files(&dataset(), &paths).expect("cached"), files);
    let stages: Vec<_> = server.seen().iter().map(|seen| seen.stage).collect();
    assert_eq!(stages, [Some(Stage::Listing)], "only whether it changed");
}

#[test]
fn the_cache_serves_where_the_hub_cannot_be_asked() {
    let (server, cache) = (server(), temporary());
    let hub = client(&server, cache.path());
    let path = hub.file(&dataset(), LARGE).expect("downloaded");
    assert_eq!(hub.cached_file(&dataset(), LARGE), Some(path.clone()));
    assert_eq!(hub.cached_file(&dataset(), SMALL), None);

    server.forget();
    let offline = Hub {
        is_offline: true,
        ..hub.clone()
    };
    assert_eq!(offline.file(&dataset(), LARGE).expect("cached"), path);
    let listing = offline.list(&dataset()).expect("cached");
    assert_eq!(listing.paths().collect::<Vec<_>>(), [LARGE]);
    assert!(listing.is_cached);
    let message = |repo: &HubRepo, path| format!("{}", offline.file(repo, path).expect_err("none"));
    let message = [
        message(&dataset(), SMALL),
        message(&HubRepo::model("owner/other"), SMALL),
    ];
    let place = cache.path().display();
    assert_eq!(
        message,
        [
            format!(
                "`{SMALL}` of data set `owner/data` is not in the cache `{place}`, and HF_HUB_OFFLINE is set"
            ),
            format!(
                "any file of model `owner/other` is not in the cache `{place}`, and HF_HUB_OFFLINE is set"
            ),
        ]
    );
    assert!(server.seen().is_empty(), "nothing was asked");

    let unreachable = Hub {
        endpoint: UNREACHABLE.to_owned(),
        ..hub.clone()
    };
    assert_eq!(unreachable.file(&dataset(), LARGE).expect("cached"), path);
    let message = format!("{}", unreachable.file(&dataset(), SMALL).expect_err("none"));
    assert!(message.contains(UNREACHABLE), "{message}");

    server.break_next(Fault::status(Stage::Listing, 503).always());
    assert_eq!(hub.file(&dataset(), LARGE).expect("cached"), path);
}

#[test]
fn a_new_commit_is_followed_once_it_is_whole() {
    let (server, cache) = (server(), temporary());
    let hub = client(&server, cache.path());
    let paths = [SMALL, LARGE];
    let old = hub.files(&dataset(), &paths).expect("downloaded");
    let commit = hub.list(&dataset()).expect("listed").commit;
    let changed = server.commit("datasets/owner/data", tree().with(LARGE, "changed"));

    server.break_next(Fault::status(Stage::Content, 500).always());
    assert_eq!(
        hub.files(&dataset(), &paths).expect("the old commit"),
        old,
        "an update that fails does not hide what is there"
    );
    server.repair();
    server.forget();
    let new = hub.files(&dataset(), &paths).expect("downloaded");
    assert!(new[1].to_string_lossy().contains(&changed));
    assert_eq!(fs::read_to_string(&new[1]).expect("read"), "changed");
    let contents = server
        .seen()
        .into_iter()
        .filter(|seen| seen.stage == Some(Stage::Content));
    assert_eq!(
        contents.count(),
        1,
        "the unchanged file is linked, not downloaded"
    );

    // The commit before is there under its own name, also for those who ask no one.
    let before = dataset().at(commit);
    assert_eq!(hub.files(&before, &paths).expect("downloaded"), old);
    let offline = Hub {
        is_offline: true,
        ..hub
    };
    assert_eq!(offline.files(&before, &paths).expect("cached"), old);
}

#[test]
fn a_model_folder_has_what_is_required_and_what_there_is() {
    let model = Tree::from([
        ("config.json", "{}"),
        ("1_Pooling/config.json", "{\"a\": 1}"),
    ]);
    let server = test_support::Hub::start().model("owner/model", model);
    let cache = temporary();
    let hub = client(&server, cache.path());
    let want = |name, is_required| WantedFile { name, is_required };
    let wanted = [
        want("1_Pooling/config.json", false),
        want("config.json", true),
        want("modules.json", false),
    ];
    let folder = hub.model_folder("owner/model", &wanted).expect("there");
    let read = |path: &str| fs::read_to_string(folder.join(path)).expect("read");
    assert_eq!(read("1_Pooling/config.json"), "{\"a\": 1}");
    assert_eq!(read("config.json"), "{}");
    assert!(
        !folder.join("modules.json").exists(),
        "the repository has none"
    );
    let offline = Hub {
        is_offline: true,
        ..hub.clone()
    };
    assert_eq!(
        offline
            .model_folder("owner/model", &wanted)
            .expect("cached"),
        folder
    );
    for wanted in [want("model.safetensors", true), want("modules.json", false)] {
        let error = hub
            .model_folder("owner/model", &[wanted])
            .expect_err("none");
        let expected = format!(
            "model `owner/model` on the hub has no file `{}`",
            wanted.name
        );
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn a_renamed_repository_is_found_under_its_old_name() {
    let server = server().renamed("datasets/old/name", "datasets/owner/data");
    let cache = temporary();
    let hub = client(&server, cache.path());
    for path in [SMALL, LARGE] {
        let path = hub
            .file(&HubRepo::dataset("old/name"), path)
            .expect("downloaded");
        assert!(path.starts_with(cache.path().join("datasets--old--name")));
    }
}
