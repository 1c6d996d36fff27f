//! One folder for another.

use std::{
    ffi::OsStr,
    fs, io,
    path::{Path, PathBuf},
};

use crate::interruption::uninterrupted;

/// Puts the folder `new` in the place of another, by one atomic exchange: at no moment is there none, or a mixture. Afterwards the older folder
/// is where `new` was; if there was none, nothing is.
///
/// Where the system or the file system lacks the exchange, the older one is set aside for the moment between two renames;
/// [`set_aside`] finds it for readers, and [`restore_replaced`] puts it back if a process was killed in that moment.
///
/// # Errors
/// When there is something else than a folder, or the system refuses; the older folder is in its place then.
pub fn replace_folder(new: &Path, place: &Path) -> io::Result<()> {
    uninterrupted(|| match place.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => fs::rename(new, place),
        Err(error) => Err(error),
        Ok(there) if !there.is_dir() => Err(io::ErrorKind::NotADirectory.into()),
        Ok(_) => match exchange(new, place) {
            Err(error) if lacks_exchange(&error) => rename_twice(new, place),
            exchanged => exchanged,
        },
    })
}

#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
fn exchange(one: &Path, other: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    Ok(renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE)?)
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
fn exchange(_: &Path, _: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Linux says `EINVAL` where the file system does not know the exchange, NFS for one, and `ENOSYS` where the kernel does not.
fn lacks_exchange(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported
    )
}

fn rename_twice(new: &Path, place: &Path) -> io::Result<()> {
    let aside = aside(place);
    fs::rename(place, &aside)?;
    if let Err(error) = fs::rename(new, place) {
        // Better the older one than none.
        fs::rename(&aside, place)?;
        return Err(error);
    }
    fs::rename(&aside, new)
}

/// Puts an older folder back if the one that was to replace it never took its place, and removes what is left of one that was replaced. For
/// writers, which hold the place's lock: in the middle of another's [`replace_folder`] it would do harm.
///
/// # Errors
/// When the system refuses.
pub fn restore_replaced(place: &Path) -> io::Result<()> {
    match aside(place) {
        aside if !aside.is_dir() => Ok(()),
        aside if place.is_dir() => fs::remove_dir_all(aside),
        aside => fs::rename(aside, place),
    }
}

/// Where readers find the folder of a place: there, unless a process was killed, or is just about, to replace it without an exchange.
pub fn set_aside(place: &Path) -> PathBuf {
    let aside = aside(place);
    match !place.is_dir() && aside.is_dir() {
        true => aside,
        false => place.to_owned(),
    }
}

fn aside(place: &Path) -> PathBuf {
    let name = place.file_name().unwrap_or_default().to_string_lossy();
    place.with_file_name(format!(".replaced-{name}"))
}

/// Gives everything in the folder `from`, but what is to be left out there, a second name in the folder `to`: folders are made, files linked, links
/// repeated. Where the file system has no hard links, files are copied.
///
/// # Errors
/// When the system refuses, or something in `from` is on another file system, where it would be lost with the folder.
pub fn link_tree(from: &Path, to: &Path, leave_out: &dyn Fn(&OsStr) -> bool) -> io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (name, path) = (entry.file_name(), entry.path());
        if leave_out(&name) {
            continue;
        }
        let copy = to.join(&name);
        let linked = entry.file_type().and_then(|kind| {
            if kind.is_symlink() {
                repeat_link(&path, &copy)
            } else if kind.is_dir() {
                check_no_mount(from, &path)?;
                fs::create_dir(&copy)?;
                fs::set_permissions(&copy, path.metadata()?.permissions())?;
                link_tree(&path, &copy, &|_| false)
            } else {
                link(&path, &copy)
            }
        });
        match linked {
            // Removed since it was listed: a program that works in the folder has finished a file.
            Err(error) if error.kind() == io::ErrorKind::NotFound && !path.exists() => {}
            linked => linked?,
        }
    }
    // So that the second names are durable before the first ones go.
    #[cfg(unix)]
    fs::File::open(to)?.sync_all()?;
    Ok(())
}

/// Moves what is in the tree `from` and not in the tree `to` there: files that came after [`link_tree`] had passed.
///
/// # Errors
/// When the system refuses.
pub fn move_missing(from: &Path, to: &Path, leave_out: &dyn Fn(&OsStr) -> bool) -> io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name();
        if leave_out(&name) {
            continue;
        }
        let (path, there) = (entry.path(), to.join(&name));
        if there.symlink_metadata().is_err() {
            fs::rename(path, there)?;
        } else if entry.file_type()?.is_dir() {
            move_missing(&path, &there, &|_| false)?;
        }
    }
    Ok(())
}

fn link(from: &Path, to: &Path) -> io::Result<()> {
    match fs::hard_link(from, to) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(error),
        // Not all systems say the same where there are no hard links.
        Err(_) => fs::copy(from, to).map(drop),
        Ok(()) => Ok(()),
    }
}

#[cfg(unix)]
fn repeat_link(from: &Path, to: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(fs::read_link(from)?, to)
}

#[cfg(not(unix))]
fn repeat_link(_: &Path, _: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// A folder of another file system would stay in the older folder, and be emptied with it.
#[cfg(unix)]
fn check_no_mount(parent: &Path, folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt as _;
    match parent.metadata()?.dev() == folder.metadata()?.dev() {
        true => Ok(()),
        false => Err(io::Error::other(format!(
            "`{}` is on another disk; mount it elsewhere and put a link there",
            folder.display()
        ))),
    }
}

#[cfg(not(unix))]
fn check_no_mount(_: &Path, _: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder_with(path: &Path, text: &str) {
        fs::create_dir_all(path).expect("made");
        fs::write(path.join("file"), text).expect("written");
    }

    fn text(path: &Path) -> String {
        fs::read_to_string(path.join("file")).expect("read")
    }

    #[test]
    fn a_folder_takes_the_place_of_another_and_leaves_it_where_it_was() {
        let root = tempfile::tempdir().expect("a temporary folder");
        let (new, place) = (root.path().join("new"), root.path().join("place"));
        type Replace = fn(&Path, &Path) -> io::Result<()>;
        for replace in [replace_folder as Replace, rename_twice] {
            folder_with(&place, "old");
            folder_with(&new, "new");
            replace(&new, &place).expect("replaced");
            assert_eq!((text(&place), text(&new)), ("new".into(), "old".into()));
            assert!(
                replace(&root.path().join("none"), &place).is_err(),
                "nothing to put there"
            );
            assert_eq!(text(&place), "new", "it stays");
            assert!(!aside(&place).exists());
        }
        fs::remove_dir_all(&place).expect("removed");
        replace_folder(&new, &place).expect("renamed");
        assert!(!new.exists());
        let file = root.path().join("a-file");
        fs::write(&file, "text").expect("written");
        assert!(replace_folder(&place, &file).is_err(), "no folder");
    }

    #[test]
    fn a_folder_that_was_set_aside_is_found_by_readers_and_put_back_by_writers() {
        let root = tempfile::tempdir().expect("a temporary folder");
        let place = root.path().join("place");
        assert_eq!(set_aside(&place), place);
        folder_with(&aside(&place), "old");
        assert_eq!(text(&set_aside(&place)), "old");
        assert!(!place.exists(), "readers rename nothing");
        restore_replaced(&place).expect("put back");
        assert_eq!(text(&place), "old");
        folder_with(&aside(&place), "older");
        assert_eq!(set_aside(&place), place, "the newer one");
        restore_replaced(&place).expect("removed");
        assert!(!aside(&place).exists());
        restore_replaced(&place).expect("nothing to do");
        assert_eq!(text(&place), "old");
    }

    #[cfg(unix)]
    #[test]
    fn a_linked_tree_is_the_same_files_under_second_names() {
        use std::os::unix::fs::MetadataExt as _;
        let root = tempfile::tempdir().expect("a temporary folder");
        let (from, to) = (root.path().join("from"), root.path().join("to"));
        folder_with(&from.join("a/b"), "deep");
        folder_with(&from, "left out");
        std::os::unix::fs::symlink("/nowhere", from.join("link")).expect("linked");
        fs::create_dir(&to).expect("made");
        let leave_out = |name: &OsStr| name == "file";
        link_tree(&from, &to, &leave_out).expect("linked");
        assert_eq!(
            fs::read_link(to.join("link")).expect("a link"),
            Path::new("/nowhere")
        );
        let inode = |path: PathBuf| path.metadata().expect("there").ino();
        assert_eq!(inode(from.join("a/b/file")), inode(to.join("a/b/file")));
        assert!(!to.join("file").exists());
        fs::write(from.join("a/late"), "late").expect("written");
        fs::write(to.join("a/b/own"), "own").expect("written");
        move_missing(&from, &to, &leave_out).expect("moved");
        assert!(to.join("a/late").exists() && to.join("a/b/own").exists());
        assert!(!to.join("file").exists());
    }
}
