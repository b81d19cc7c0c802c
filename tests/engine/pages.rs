//! PDF: the text of each page in the order in which it is drawn, and what is torn or hostile is a line. Reads `../shared` and says so where it is not there.

use std::path::Path;

use std::process::Command;

use serde_json::{Map, Value};

use super::trainers::{read, shared};

/// Samples, and warnings.
type Said = (Vec<Map<String, Value>>, Vec<String>);

/// The samples of a file and what was said of it, as the program has them: what is hostile is read by a child of it.
fn open_as(path: &Path, layout: Option<&str>) -> Result<Said, String> {
    let home = tempfile::tempdir().unwrap();
    let out = home.path().join("out.jsonl");
    let run = |words: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lapidary"));
        command.arg(words[0]).arg(path).args(&words[1..]).arg("--no-project").env("XDG_DATA_HOME", home.path());
        if let Some(layout) = layout {
            command.args(["--as", layout]);
        }
        let output = command.output().unwrap();
        assert!(output.status.code().is_some(), "{words:?} died");
        if output.status.success() {
            Ok(output.stdout)
        } else {
            Err(String::from_utf8_lossy(&output.stderr).trim_end().to_owned())
        }
    };
    let said: Value = serde_json::from_slice(&run(&["info", "--json"])?).unwrap();
    let warnings = said["warnings"].as_array().unwrap().iter().map(|one| one["reason"].as_str().unwrap().to_owned()).collect();
    run(&["export", "-o", out.to_str().unwrap()])?;
    let text = std::fs::read_to_string(out).unwrap();
    Ok((text.lines().map(|line| serde_json::from_str(line).unwrap()).collect(), warnings))
}

fn column(rows: &[Map<String, Value>], name: &str) -> Vec<String> {
    rows.iter().map(|row| row[name].as_str().map_or_else(|| row[name].to_string(), ToOwned::to_owned)).collect()
}

/// A PDF by hand: pages of what their streams draw, in Helvetica and in a font that says other letters; `form` is a part that pages may draw with `/Part Do`.
fn written(pages: &[&str], form: &str) -> Vec<u8> {
    let mut objects: Vec<String> = vec!["<< /Type /Catalog /Pages 2 0 R >>".to_owned()];
    let kids: Vec<String> = (0..pages.len()).map(|at| format!("{} 0 R", 7 + at * 2)).collect();
    objects.push(format!("<< /Type /Pages /Count {} /Kids [{}] >>", pages.len(), kids.join(" ")));
    objects.push("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>".to_owned());
    let map = "/CIDInit /ProcSet findresource begin 12 dict begin begincmap\n/CMapType 2 def\n1 begincodespacerange\n<0000> <ffff>\nendcodespacerange\n2 beginbfchar\n<0001> <5bb6>\n<0002> <00e4>\nendbfchar\nendcmap\nend\nend";
    objects.push("<< /Type /Font /Subtype /Type0 /BaseFont /Other /Encoding /Identity-H /ToUnicode 5 0 R /DescendantFonts [<< /Type /Font /Subtype /CIDFontType2 /BaseFont /Other >>] >>".to_owned());
    objects.push(format!("<< /Length {} >>\nstream\n{map}\nendstream", map.len()));
    objects.push(format!(
        "<< /Type /XObject /Subtype /Form /BBox [0 0 500 500] /Resources << /Font << /F1 3 0 R >> >> /Length {} >>\nstream\n{form}\nendstream",
        form.len()
    ));
    for (at, page) in pages.iter().enumerate() {
        objects.push(format!(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 500 500] /Contents {} 0 R /Resources << /Font << /F1 3 0 R /F2 4 0 R >> /XObject << /Part 6 0 R >> >> >>",
            8 + at * 2
        ));
        objects.push(format!("<< /Length {} >>\nstream\n{page}\nendstream", page.len()));
    }
    let mut bytes = b"%PDF-1.4\n".to_vec();
    let mut places = Vec::new();
    for (at, object) in objects.iter().enumerate() {
        places.push(bytes.len());
        bytes.extend_from_slice(format!("{} 0 obj\n{object}\nendobj\n", at + 1).as_bytes());
    }
    let table = bytes.len();
    bytes.extend_from_slice(format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1).as_bytes());
    places.iter().for_each(|place| bytes.extend_from_slice(format!("{place:010} 00000 n \n").as_bytes()));
    bytes.extend_from_slice(
        format!("trailer << /Size {} /Root 1 0 R >>\nstartxref\n{table}\n%%EOF\n", objects.len() + 1).as_bytes(),
    );
    bytes
}

#[test]
fn pages_are_read_in_the_order_in_which_they_are_drawn() {
    let Some(folder) = shared("reference/collect/docs") else { return };
    let wanted = read(&folder.join("expected_pdf.json"));
    let (dataset, _) = open_as(&folder.join("two_columns.pdf"), None).unwrap();
    assert_eq!(column(&dataset, "page"), ["1", "2"]);
    assert_eq!(column(&dataset, "title"), ["Cards", "Cards"]);
    for (text, lines) in column(&dataset, "text").iter().zip(wanted["reading_order"].as_array().unwrap()) {
        let own: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
        let lines: Vec<&str> = lines.as_array().unwrap().iter().filter_map(Value::as_str).collect();
        assert_eq!(own, lines);
    }
    // Each line knows its page and where on it it stands.
    let (lines, _) = open_as(&folder.join("two_columns.pdf"), Some("pdf/line")).unwrap();
    assert_eq!(
        (lines.len(), column(&lines, "page")[14].as_str(), column(&lines, "text")[1].as_str()),
        (28, "2", "p1 col1 line 1 of text")
    );
    let (whole, start) = (column(&dataset, "text"), column(&lines, "start"));
    assert!(whole[0][start[1].parse::<usize>().unwrap()..].starts_with("p1 col1 line 1"));
}

#[test]
fn words_lines_paragraphs_forms_and_other_letters_come_out_as_they_stand() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("made.pdf");
    let page = "BT /F1 10 Tf 12 TL 50 450 Td (One ) Tj (line) Tj T* [(wor) -20 (d) -300 (two)] TJ 0 -40 Td (A paragraph) Tj ET \
                BT /F1 10 Tf 50 380 Td (left) Tj ET BT /F1 10 Tf 200 380 Td (right) Tj ET \
                BT /F2 10 Tf 50 360 Td <00010002> Tj ET q 1 0 0 1 0 -200 cm /Part Do Q \
                BT /F1 10 Tf 1 0 0 1 50 100 Tm (caf\\351 \\(x\\)) ' ET";
    let pages = [page, "0 0 m 10 10 l S", "BT /F1 10 Tf 50 450 Td (last) Tj ET"];
    std::fs::write(&path, written(&pages, "BT /F1 10 Tf 50 500 Td (in a form) Tj ET")).unwrap();
    let (dataset, notes) = open_as(&path, None).unwrap();
    assert_eq!(column(&dataset, "page"), ["1", "3"]);
    let text = &column(&dataset, "text")[0];
    assert_eq!(text, "One line\nword two\n\nA paragraph\n\nleft right\n\n家ä\n\nin a form\n\ncafé (x)");
    assert_eq!(notes, ["1 page has no text, and is left out (a scan is a picture): 2"]);
    // Pictures alone: what to do.
    std::fs::write(&path, written(&["0 0 m 10 10 l S"], "")).unwrap();
    let said = open_as(&path, None).err().unwrap();
    assert!(said.contains("OCR") && said.lines().count() == 1, "{said}");
}

#[test]
fn torn_and_hostile_pages_are_one_line() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("bad.pdf");
    let whole = written(&["BT /F1 10 Tf 50 450 Td (some words here) Tj ET"; 3], "BT /F1 10 Tf (x) Tj ET");
    let check = |bytes: &[u8], what: &str| {
        std::fs::write(&path, bytes).unwrap();
        if let Err(said) = open_as(&path, None) {
            assert!(said.lines().count() == 1 && said.len() > 20, "{what}: {said:?}");
        }
    };
    for at in (9..whole.len()).step_by(whole.len() / 12) {
        check(&whole[..at], &format!("cut at {at}"));
        let mut flipped = whole.clone();
        flipped[at] ^= 0x15;
        check(&flipped, &format!("flipped at {at}"));
    }
    // A form that draws itself, a page tree that is a circle, a stream that grows to gigabytes.
    check(&written(&["/Part Do"], "/Part Do BT /F1 10 Tf (x) Tj ET /Part Do"), "a form within itself");
    let circle = String::from_utf8(written(&["BT ET"], "")).unwrap().replace("/Kids [7 0 R]", "/Kids [2 0 R]");
    check(circle.as_bytes(), "a circle of pages");
    let mut zeros = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    for _ in 0..3_000 {
        std::io::Write::write_all(&mut zeros, &[b' '; 1 << 20]).unwrap();
    }
    let zeros = zeros.finish().unwrap();
    let mut bomb = b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n2 0 obj\n<< /Type /Pages /Count 1 /Kids [3 0 R] >>\nendobj\n3 0 obj\n<< /Type /Page /Parent 2 0 R /Contents 4 0 R >>\nendobj\n4 0 obj\n".to_vec();
    bomb.extend_from_slice(format!("<< /Filter /FlateDecode /Length {} >>\nstream\n", zeros.len()).as_bytes());
    bomb.extend_from_slice(&zeros);
    bomb.extend_from_slice(b"\nendstream\nendobj\ntrailer << /Root 1 0 R >>\n");
    check(&bomb, "a stream of gigabytes");
}
