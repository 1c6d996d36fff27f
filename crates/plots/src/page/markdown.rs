//! The Markdown that our own tables are written in, as HTML: headings, paragraphs with code in them, tables. Anything else is a paragraph.

use super::html;

/// The heading of a text's `#`; those below it are one deeper.
const TOP_LEVEL: usize = 4;

/// Markdown as HTML. `label` names tables to those who cannot see where they stand.
pub(crate) fn html(markdown: &str, label: &str) -> String {
    let mut page = String::new();
    // Blocks are parted by empty lines; a table's lines all begin with a bar.
    for block in markdown.split("\n\n").map(str::trim) {
        let lines: Vec<&str> = block.lines().collect();
        if block.is_empty() {
            continue;
        } else if lines.len() > 1
            && lines.iter().all(|line| line.starts_with('|'))
            && is_rule(lines[1])
        {
            page += &table(&lines, label);
        } else if let Some(level) = heading_level(block) {
            let deep = (TOP_LEVEL - 1 + level).min(6);
            page += &format!("<h{deep}>{}</h{deep}>\n", inline(block[level..].trim()));
        } else {
            page += &format!("<p class=\"note\">{}</p>\n", inline(block));
        }
    }
    page
}

/// A table of header cells and rows, each with its cells; numbers to the right where `is_number` says so.
pub(crate) fn html_table(
    header: &[String],
    rows: &[Vec<String>],
    is_number: impl Fn(usize) -> bool,
    label: &str,
) -> String {
    let class = |i: usize| {
        if is_number(i) {
            " class=\"number\""
        } else {
            ""
        }
    };
    let mut page = format!(
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{}\"><table>\n<thead><tr>",
        html::text(label)
    );
    for (i, cell) in header.iter().enumerate() {
        page += &format!("<th scope=\"col\"{}>{cell}</th>", class(i));
    }
    page += "</tr></thead>\n<tbody>\n";
    for row in rows {
        page += "<tr>";
        for (i, cell) in row.iter().enumerate() {
            page += &if i == 0 {
                format!("<th scope=\"row\"><bdi>{cell}</bdi></th>")
            } else {
                format!("<td{}>{cell}</td>", class(i))
            };
        }
        page += "</tr>\n";
    }
    page + "</tbody></table></div>\n"
}

fn table(lines: &[&str], label: &str) -> String {
    let cells = |line: &str| -> Vec<String> {
        cells(line)
            .into_iter()
            .map(|cell| inline(cell.trim()))
            .collect()
    };
    let right: Vec<bool> = cells(lines[1])
        .iter()
        .map(|rule| rule.ends_with(':'))
        .collect();
    let rows: Vec<Vec<String>> = lines[2..].iter().map(|line| cells(line)).collect();
    // An interval is a text in Markdown, and a number to a reader.
    let is_number = |i: usize| {
        right.get(i) == Some(&true)
            || (i > 0
                && rows
                    .iter()
                    .all(|row| row.get(i).is_none_or(|cell| is_numeric(cell))))
    };
    html_table(&cells(lines[0]), &rows, is_number, label)
}

/// A line's cells: bars part them, but for those after a backslash.
fn cells(line: &str) -> Vec<String> {
    let inner = line.trim().trim_start_matches('|');
    let mut cells = vec![String::new()];
    let mut letters = inner.chars().peekable();
    while let Some(c) = letters.next() {
        let cell = cells.last_mut().expect("there is always one");
        match c {
            '\\' if letters.peek() == Some(&'|') => cell.extend(letters.next()),
            '|' => cells.push(String::new()),
            _ => cell.push(c),
        }
    }
    // What stands behind the last bar.
    if cells.last().is_some_and(|cell| cell.trim().is_empty()) {
        cells.pop();
    }
    cells
}

fn is_rule(line: &str) -> bool {
    line.contains('-') && line.chars().all(|c| "|-: ".contains(c))
}

fn heading_level(block: &str) -> Option<usize> {
    let level = block.bytes().take_while(|&byte| byte == b'#').count();
    ((1..=6).contains(&level) && block[level..].starts_with(' ') && !block.contains('\n'))
        .then_some(level)
}

fn is_numeric(cell: &str) -> bool {
    cell.starts_with(|c: char| c.is_ascii_digit() || c == '-')
        || ["", "N/A", "never"].contains(&cell)
        || cell.starts_with("never ")
}

/// Escaped, with code between backticks.
fn inline(text: &str) -> String {
    let parts: Vec<&str> = text.split('`').collect();
    let mut line = String::new();
    for (i, part) in parts.iter().enumerate() {
        let is_last = i + 1 == parts.len();
        if i % 2 == 1 && !is_last {
            line += &format!("<code>{}</code>", html::text(part));
        } else if i % 2 == 1 {
            // A backtick without its second.
            line += &format!("`{}", html::text(part));
        } else {
            line += &html::text(part);
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_markdown_is_understood() {
        let page = html(
            "# Metrics on `a<b`\n\nNote.\n\n| Router | Score |\n| --- | ---: |\n| a\\|b `c | 0.5 |\n| <i> | N/A |\n\nEnd.\n",
            "a \"label\"",
        );
        for expected in [
            "<h4>Metrics on <code>a&lt;b</code></h4>",
            "<p class=\"note\">Note.</p>",
            "aria-label=\"a &quot;label&quot;\"",
            "<th scope=\"col\" class=\"number\">Score</th>",
            "<th scope=\"row\"><bdi>a|b `c</bdi></th><td class=\"number\">0.5</td>",
            "<bdi>&lt;i&gt;</bdi>",
            "<p class=\"note\">End.</p>",
        ] {
            assert!(page.contains(expected), "{expected} is not in {page}");
        }
    }

    #[test]
    fn what_is_no_table_is_text() {
        for (markdown, expected) in [
            ("", ""),
            ("| a |\n", "<p class=\"note\">| a |</p>\n"),
            (
                "#hash <script>",
                "<p class=\"note\">#hash &lt;script&gt;</p>\n",
            ),
        ] {
            assert_eq!(html(markdown, ""), expected, "{markdown}");
        }
    }

    #[test]
    fn intervals_stand_to_the_right() {
        let page = html(
            "| R | AIQ |\n| --- | --- |\n| a | 0.5 [0.4, 0.6] |\n| b | never [1.0, never] |\n",
            "",
        );
        assert_eq!(page.matches("<td class=\"number\">").count(), 2, "{page}");
    }
}
