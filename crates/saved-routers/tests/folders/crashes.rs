use std::{
    fs,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use dataset::Lock;
use saved_routers::{Contents, EmbeddingFormat, Error, NewFolder, Record, SavedRouter};

use crate::fixtures::{fitted, names, place, record, write_forest, write_knn};

#[test]
fn an_older_router_stays_until_a_newer_one_is_whole() {
    let (_folder, place) = place();
    write_forest(&place);
    let parent = place.parent().unwrap().to_owned();

    // Given up halfway.
    let folder = NewFolder::create(&place).unwrap();
    fs::write(folder.path().join("router.safetensors"), "half").unwrap();
    assert_eq!(names(&parent).len(), 2);
    drop(folder);
    assert_eq!(names(&parent), ["router"]);
    assert!(SavedRouter::open(&place).is_ok());

    // A record that no reader would take.
    let folder = NewFolder::create(&place).unwrap();
    let bad = Record {
        embedder: None,
        ..record(Contents::Forest {})
    };
    let error = folder.commit(&bad).unwrap_err();
    assert!(matches!(error, Error::BadRecord { .. }), "{error}");
    assert_eq!(names(&parent), ["router"]);
    assert!(SavedRouter::open(&place).is_ok());

    // Killed between two renames, on a file system without the exchange: readers find the older one and rename nothing.
    let aside = parent.join(".replaced-router");
    fs::rename(&place, &aside).unwrap();
    assert!(SavedRouter::open(&place).is_ok());
    assert!(Record::read(&place).is_ok());
    assert_eq!(names(&parent), [".replaced-router"]);
    // Writers, which hold the lock, put it back.
    drop(Lock::of(&place).unwrap());
    assert_eq!(names(&parent), ["router"]);

    // Killed before the older one was removed.
    fs::create_dir(&aside).unwrap();
    assert!(SavedRouter::open(&place).is_ok());
    assert_eq!(names(&parent), [".replaced-router", "router"]);
    drop(Lock::of(&place).unwrap());
    assert_eq!(names(&parent), ["router"]);

    // A folder without a record, as a training that was cut off leaves it, gives way.
    fs::remove_file(place.join("router.json")).unwrap();
    let error = SavedRouter::open(&place).unwrap_err();
    assert!(matches!(error, Error::NoRouter { .. }), "{error}");
    write_forest(&place);
    assert!(SavedRouter::open(&place).is_ok());
}

#[test]
fn what_is_no_router_is_not_replaced() {
    let (_folder, place) = place();
    fs::create_dir_all(&place).unwrap();
    write_forest(&place);
    fs::remove_dir_all(&place).unwrap();
    fs::create_dir_all(place.join("chapters")).unwrap();
    fs::write(place.join("thesis.tex"), "years").unwrap();
    let file = place.with_file_name("file");
    fs::write(&file, "text").unwrap();
    for place in [&place, &file] {
        let error = NewFolder::create(place).unwrap_err();
        assert!(matches!(error, Error::NotARouter { .. }), "{error}");
    }
    assert_eq!(names(&place), ["chapters", "thesis.tex"]);
}

#[cfg(unix)]
#[test]
fn a_link_to_a_folder_stays_one() {
    let (folder, place) = place();
    let real = folder.path().join("other disk");
    fs::create_dir_all(place.parent().unwrap()).unwrap();
    fs::create_dir(&real).unwrap();
    std::os::unix::fs::symlink(&real, &place).unwrap();
    write_forest(&place);
    write_forest(&place);
    assert!(place.is_symlink());
    assert!(SavedRouter::open(&real).is_ok());
}

#[test]
fn a_router_that_is_replaced_while_it_is_read_is_the_old_or_the_new_one() {
    let (_folder, place) = place();
    let fitted = fitted(2);
    let write = |turn| match turn % 2 {
        0 => write_knn(&place, &fitted, EmbeddingFormat::F32),
        _ => write_forest(&place),
    };
    write(0);
    let is_done = AtomicBool::new(false);
    let n_opened = thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut n_opened = 0;
            while !is_done.load(Ordering::SeqCst) || n_opened == 0 {
                SavedRouter::open(&place).expect("whole");
                n_opened += 1;
            }
            n_opened
        });
        for turn in 1..100 {
            write(turn);
        }
        is_done.store(true, Ordering::SeqCst);
        reader.join().expect("no panic")
    });
    assert!(n_opened > 10, "{n_opened}");
    assert_eq!(names(place.parent().unwrap()), ["router"]);
}
