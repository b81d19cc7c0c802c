//! Where the sentences of a text end.

/// A text's sentences, each with the white space after it: they end with a full stop, a question or exclamation mark before white space,
/// or at a line's end.
pub fn sentences(text: &str) -> Vec<&str> {
    let mut list = Vec::new();
    let mut from = 0;
    let mut ended = false;
    for (at, letter) in text.char_indices() {
        if letter.is_whitespace() {
            ended |= letter == '\n';
            continue;
        }
        let gap = text[..at].ends_with(char::is_whitespace);
        let wide = text[..at].ends_with(['。', '！', '？']);
        if at > from && (ended && gap || wide && !matches!(letter, '。' | '！' | '？' | '”' | '」')) {
            list.push(&text[from..at]);
            from = at;
        }
        if gap || wide {
            ended = false;
        }
        match letter {
            '.' | '!' | '?' | '…' => ended = true,
            '"' | '”' | ')' | '\'' | '’' => {}
            _ => ended = false,
        }
    }
    if from < text.len() {
        list.push(&text[from..]);
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_end_where_they_end() {
        assert_eq!(
            sentences("Hi. It is 3.5 kg! Why?  Because\nnew line"),
            ["Hi. ", "It is 3.5 kg! ", "Why?  ", "Because\n", "new line"]
        );
        assert_eq!(sentences("one"), ["one"]);
        assert_eq!(sentences("你好。再见！"), ["你好。", "再见！"]);
        assert!(sentences("").is_empty());
    }
}
