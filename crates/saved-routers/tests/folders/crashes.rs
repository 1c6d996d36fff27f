use std::fs;

use saved_routers::{Contents, Error, NewFolder, Record, SavedRouter};

use crate::fixtures::{names, place, record, write_forest};

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

    // Killed between the two renames.
    fs::rename(&place, parent.join(".replaced-router")).unwrap();
    assert!(SavedRouter::open(&place).is_ok());
    assert_eq!(names(&parent), ["router"]);

    // Killed before the older one was removed.
    fs::create_dir(parent.join(".replaced-router")).unwrap();
    assert!(SavedRouter::open(&place).is_ok());
    assert_eq!(names(&parent), ["router"]);

    // A folder without a record, as a training that was cut off leaves it, gives way.
    fs::remove_file(place.join("router.json")).unwrap();
    let error = SavedRouter::open(&place).unwrap_err();
    assert!(matches!(error, Error::NoRouter { .. }), "{error}");
    write_forest(&place);
    assert!(SavedRouter::open(&place).is_ok());
}
