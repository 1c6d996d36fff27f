use std::path::Path;

/// Why a file may not decide where keys are sent, if so.
///
/// It has to belong to the user of this process or to root, and no one else may be able to write it. The group that bears the user's own
/// number is the user's alone, as most distributions set it up, so it may write. A link is as good as the file that it leads to, and
/// its owner counts too.
#[cfg(unix)]
pub(super) fn problem(path: &Path) -> Option<String> {
    use std::{
        fs,
        os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    };

    let user = rustix::process::geteuid().as_raw();
    let (link, file) = match (fs::symlink_metadata(path), fs::metadata(path)) {
        (Ok(link), Ok(file)) => (link, file),
        (Err(error), _) | (_, Err(error)) => return Some(error.to_string()),
    };
    let other = [&link, &file]
        .into_iter()
        .map(|metadata| metadata.uid())
        .find(|owner| ![user, 0].contains(owner));
    if let Some(owner) = other {
        return Some(format!(
            "it belongs to user {owner}, and only files of user {user} are read: copy it, or set the variables in the environment"
        ));
    }
    let mode = file.permissions().mode();
    let may_group = mode & 0o020 != 0 && file.gid() != file.uid();
    if mode & 0o002 != 0 || may_group {
        return Some(format!(
            "others may write it (mode {:o}): `chmod go-w` it first",
            mode & 0o777
        ));
    }
    None
}

/// Elsewhere the system's own rules have to do.
#[cfg(not(unix))]
pub(super) fn problem(_: &Path) -> Option<String> {
    None
}

#[cfg(all(test, unix))]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use super::*;

    #[test]
    fn only_what_no_one_else_can_write_is_trusted() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join(".env");
        fs::write(&path, "A=1\n").expect("written");
        for (mode, is_trusted) in [
            (0o600, true),
            (0o644, true),
            (0o400, true),
            (0o602, false),
            (0o666, false),
            (0o777, false),
        ] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("changed");
            let found = problem(&path);
            assert_eq!(found.is_none(), is_trusted, "{mode:o}: {found:?}");
        }
        assert!(problem(&folder.path().join("missing")).is_some());
    }

    /// Root can give files away; other users cannot make the case.
    #[test]
    fn files_of_other_users_are_not_trusted() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join(".env");
        fs::write(&path, "A=1\n").expect("written");
        let found = match std::os::unix::fs::chown(&path, Some(4_711), None) {
            Ok(()) => problem(&path),
            // A file of somebody else's that every system has would be root's, which is trusted.
            Err(_) => Some("user 4711".to_owned()),
        };
        assert!(found.is_some_and(|found| found.contains("user 4711")));
    }
}
