//! `pytorch_model.bin`: named tensors in a pickle, as `PyTorch` writes them since 1.6 (a ZIP) and as it did before (one stream; most Marian
//! folders are so). Nothing in it is run: what the pickle says is put together as plain data, and only what describes a tensor is read.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek};
use std::path::Path;

use candle_core::{DType, Device, Tensor};

/// Bytes of the pickle itself: the weights are beside it.
const MOST_PICKLE: u64 = 16 << 20;

/// The tensors of a file, by name.
///
/// # Errors
/// What is wrong with it.
pub fn read_torch(path: &Path) -> Result<HashMap<String, Tensor>, String> {
    let say = |error: std::io::Error| error.to_string();
    let mut file = BufReader::new(File::open(path).map_err(say)?);
    let size = file.get_ref().metadata().map_err(say)?.len();
    if file.fill_buf().map_err(say)?.starts_with(b"PK") { read_zip(file, size) } else { read_stream(file, size) }
}

fn read_zip(file: BufReader<File>, size: u64) -> Result<HashMap<String, Tensor>, String> {
    let mut archive = zip::ZipArchive::new(file).map_err(|error| error.to_string())?;
    let name =
        archive.file_names().flatten().find(|name| name.ends_with("/data.pkl")).ok_or("it holds no data.pkl")?.into_owned();
    let root = name.trim_end_matches("data.pkl").to_owned();
    let mut bytes = Vec::new();
    let member = archive.by_name(&name).map_err(|error| error.to_string())?;
    member.take(MOST_PICKLE).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    let views = Pickle::read(&mut bytes.as_slice())?.views()?;
    let mut storages: HashMap<String, Vec<u8>> = HashMap::new();
    for view in &views {
        if !storages.contains_key(&view.storage) {
            let mut bytes = Vec::new();
            let member = archive.by_name(&format!("{root}data/{}", view.storage)).map_err(|error| error.to_string())?;
            member.take(size).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
            storages.insert(view.storage.clone(), bytes);
        }
    }
    tensors(views, &storages)
}

/// A magic number, a version, facts of the machine, the tensors, the names of their storages, and those: each a pickle but the last.
fn read_stream(mut file: BufReader<File>, size: u64) -> Result<HashMap<String, Tensor>, String> {
    let mut head = file.by_ref().take(MOST_PICKLE);
    let magic = Pickle::read(&mut head)?;
    if !matches!(magic.root(), Some(Node::Long(bytes)) if bytes[..] == [0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19])
    {
        return Err("it is no file of PyTorch's".to_owned());
    }
    Pickle::read(&mut head)?;
    Pickle::read(&mut head)?;
    let described = Pickle::read(&mut head)?;
    let (views, widths) = (described.views()?, described.widths());
    let keys = Pickle::read(&mut head)?.texts();
    let mut storages = HashMap::new();
    for key in keys {
        // Also of what is no tensor of ours: the next begins behind it.
        let width = *widths.get(&key).ok_or("it names a storage of a kind that is not known")?;
        let mut count = [0; 8];
        file.read_exact(&mut count).map_err(|error| error.to_string())?;
        let n = u64::from_le_bytes(count).saturating_mul(width);
        if n > size.saturating_sub(file.stream_position().map_err(|error| error.to_string())?) {
            return Err("it is torn".to_owned());
        }
        let mut bytes = vec![0; usize::try_from(n).map_err(|_| "it is larger than memory can be")?];
        file.read_exact(&mut bytes).map_err(|error| error.to_string())?;
        storages.insert(key, bytes);
    }
    tensors(views, &storages)
}

fn tensors(views: Vec<View>, storages: &HashMap<String, Vec<u8>>) -> Result<HashMap<String, Tensor>, String> {
    let mut all = HashMap::new();
    for view in views {
        let width = view.dtype.size_in_bytes();
        let n = view.shape.iter().try_fold(1_usize, |n, side| n.checked_mul(*side)).ok_or("a tensor is too large")?;
        let mut step = 1;
        for (side, stride) in view.shape.iter().zip(&view.stride).rev() {
            if *side > 1 && *stride != step {
                return Err(format!("{} does not lie in one piece; save the model again as safetensors", view.name));
            }
            step *= side;
        }
        let bytes = storages.get(&view.storage).ok_or_else(|| format!("{} has no numbers", view.name))?;
        let from = view.offset.checked_mul(width).ok_or("a tensor is too large")?;
        let bytes = n.checked_mul(width).and_then(|long| bytes.get(from..from.checked_add(long)?));
        let bytes = bytes.ok_or_else(|| format!("{} is torn", view.name))?;
        let tensor = Tensor::from_raw_buffer(bytes, view.dtype, &view.shape, &Device::Cpu).map_err(|error| error.to_string())?;
        all.insert(view.name, tensor);
    }
    Ok(all)
}

/// A tensor as the pickle describes it: some of a storage's numbers.
struct View {
    name: String,
    storage: String,
    dtype: DType,
    offset: usize,
    shape: Vec<usize>,
    stride: Vec<usize>,
}

/// What a pickle holds, each by its place: nothing is within another, so that no depth can overflow anything.
enum Node {
    Mark,
    Nothing,
    Int(i64),
    Long(Vec<u8>),
    Text(String),
    Class(String),
    /// A tuple, a list, or a dictionary's keys and values in turn.
    List(Vec<usize>),
    Persistent(usize),
    Called(usize, usize),
}

struct Pickle {
    nodes: Vec<Node>,
    stack: Vec<usize>,
    memo: HashMap<u32, usize>,
}

impl Pickle {
    fn read(from: &mut impl BufRead) -> Result<Self, String> {
        let mut pickle = Self { nodes: Vec::new(), stack: Vec::new(), memo: HashMap::new() };
        while pickle.step(from)? {}
        Ok(pickle)
    }

    fn push(&mut self, node: Node) {
        self.nodes.push(node);
        self.stack.push(self.nodes.len() - 1);
    }

    fn pop(&mut self) -> Result<usize, String> {
        self.stack.pop().ok_or_else(|| "its pickle is torn".to_owned())
    }

    /// What stands above the last mark.
    fn marked(&mut self) -> Result<Vec<usize>, String> {
        let at = self.stack.iter().rposition(|node| matches!(self.nodes[*node], Node::Mark));
        let list = self.stack.split_off(at.ok_or("its pickle is torn")?);
        Ok(list[1..].to_vec())
    }

    fn add(&mut self, more: Vec<usize>) -> Result<(), String> {
        let to = *self.stack.last().ok_or("its pickle is torn")?;
        match &mut self.nodes[to] {
            Node::List(list) => list.extend(more),
            // A dictionary made by a call: OrderedDict().
            node @ Node::Called(..) => *node = Node::List(more),
            _ => return Err("its pickle is torn".to_owned()),
        }
        Ok(())
    }

    fn step(&mut self, from: &mut impl BufRead) -> Result<bool, String> {
        let [code] = take::<1>(from)?;
        match code {
            0x80 => drop(take::<1>(from)?),
            b'.' => return Ok(false),
            b'(' => self.push(Node::Mark),
            b'N' => self.push(Node::Nothing),
            0x88 | 0x89 => self.push(Node::Int(i64::from(code == 0x88))),
            b'K' | b'M' | b'J' | b'G' | 0x8a => {
                let node = number(code, from)?;
                self.push(node);
            }
            b'X' | 0x8c => {
                let n = if code == b'X' { u32::from_le_bytes(take(from)?) } else { u32::from(take::<1>(from)?[0]) };
                let bytes = long(from, u64::from(n))?;
                self.push(Node::Text(text(bytes)?));
            }
            b'c' => {
                let (module, name) = (line(from)?, line(from)?);
                self.push(Node::Class(format!("{module}.{name}")));
            }
            b']' | b'}' | b')' => self.push(Node::List(Vec::new())),
            b't' | b'l' | b'd' => {
                let list = self.marked()?;
                self.push(Node::List(list));
            }
            0x85..=0x87 => {
                let at = self.stack.len().checked_sub(usize::from(code - 0x84)).ok_or("its pickle is torn")?;
                let list = self.stack.split_off(at);
                self.push(Node::List(list));
            }
            b'a' => {
                let one = self.pop()?;
                self.add(vec![one])?;
            }
            b's' => {
                let (value, key) = (self.pop()?, self.pop()?);
                self.add(vec![key, value])?;
            }
            b'e' | b'u' => {
                let list = self.marked()?;
                self.add(list)?;
            }
            b'Q' => {
                let id = self.pop()?;
                self.push(Node::Persistent(id));
            }
            b'R' | 0x81 => {
                let (arguments, callable) = (self.pop()?, self.pop()?);
                self.push(Node::Called(callable, arguments));
            }
            // What an object is told about itself says nothing of its numbers.
            b'b' | b'0' => drop(self.pop()?),
            b'q' | b'r' => {
                let at = if code == b'q' { u32::from(take::<1>(from)?[0]) } else { u32::from_le_bytes(take(from)?) };
                let top = *self.stack.last().ok_or("its pickle is torn")?;
                self.memo.insert(at, top);
            }
            b'h' | b'j' => {
                let at = if code == b'h' { u32::from(take::<1>(from)?[0]) } else { u32::from_le_bytes(take(from)?) };
                let node = *self.memo.get(&at).ok_or("its pickle is torn")?;
                self.stack.push(node);
            }
            other => return Err(format!("its pickle does more than name tensors (0x{other:02x})")),
        }
        Ok(true)
    }

    fn root(&self) -> Option<&Node> {
        self.stack.last().map(|at| &self.nodes[*at])
    }

    fn list(&self, at: usize) -> Option<&[usize]> {
        match &self.nodes[at] {
            Node::List(list) => Some(list),
            _ => None,
        }
    }

    fn text(&self, at: usize) -> Option<&str> {
        match &self.nodes[at] {
            Node::Text(text) => Some(text),
            _ => None,
        }
    }

    fn number(&self, at: usize) -> Option<usize> {
        match &self.nodes[at] {
            Node::Int(number) => usize::try_from(*number).ok(),
            _ => None,
        }
    }

    fn numbers(&self, at: usize) -> Option<Vec<usize>> {
        self.list(at)?.iter().map(|at| self.number(*at)).collect()
    }

    /// The texts of a list.
    fn texts(&self) -> Vec<String> {
        let list = self.stack.last().and_then(|at| self.list(*at)).unwrap_or_default();
        list.iter().filter_map(|at| self.text(*at)).map(str::to_owned).collect()
    }

    /// The tensors of a state dictionary.
    fn views(&self) -> Result<Vec<View>, String> {
        let root = *self.stack.last().ok_or("its pickle is empty")?;
        let list = self.list(root).ok_or("it holds no dictionary of tensors")?;
        let pairs = list.as_chunks::<2>().0;
        let found: Vec<View> = pairs.iter().filter_map(|[name, value]| self.view(self.text(*name)?, *value)).collect();
        if found.is_empty() { Err("it holds no tensors".to_owned()) } else { Ok(found) }
    }

    /// Bytes that a number takes in each storage.
    fn widths(&self) -> HashMap<String, u64> {
        let of = |node: &Node| {
            let Node::Persistent(id) = node else { return None };
            let [_, kind, key, ..] = self.list(*id)? else { return None };
            let Node::Class(kind) = &self.nodes[*kind] else { return None };
            let width = match kind.strip_prefix("torch.")? {
                "DoubleStorage" | "LongStorage" => 8,
                "FloatStorage" | "IntStorage" => 4,
                "HalfStorage" | "BFloat16Storage" | "ShortStorage" => 2,
                "ByteStorage" | "CharStorage" | "BoolStorage" => 1,
                _ => return None,
            };
            Some((self.text(*key)?.to_owned(), width))
        };
        self.nodes.iter().filter_map(of).collect()
    }

    fn view(&self, name: &str, at: usize) -> Option<View> {
        let Node::Called(callable, arguments) = &self.nodes[at] else { return None };
        let (Node::Class(class), arguments) = (&self.nodes[*callable], self.list(*arguments)?) else { return None };
        match class.as_str() {
            // A parameter wraps its tensor, which wraps nothing.
            "torch._utils._rebuild_parameter" => {
                let inner = *arguments.first()?;
                let own = matches!(&self.nodes[inner], Node::Called(by, _)
                    if matches!(&self.nodes[*by], Node::Class(class) if class == "torch._utils._rebuild_tensor_v2"));
                if own { self.view(name, inner) } else { None }
            }
            "torch._utils._rebuild_tensor_v2" => {
                let [storage, offset, shape, stride, ..] = arguments else { return None };
                let Node::Persistent(id) = &self.nodes[*storage] else { return None };
                let [_, kind, key, ..] = self.list(*id)? else { return None };
                let Node::Class(kind) = &self.nodes[*kind] else { return None };
                let dtype = match kind.as_str() {
                    "torch.FloatStorage" => DType::F32,
                    "torch.DoubleStorage" => DType::F64,
                    "torch.HalfStorage" => DType::F16,
                    "torch.BFloat16Storage" => DType::BF16,
                    "torch.LongStorage" => DType::I64,
                    _ => return None,
                };
                Some(View {
                    name: name.to_owned(),
                    storage: self.text(*key)?.to_owned(),
                    dtype,
                    offset: self.number(*offset)?,
                    shape: self.numbers(*shape)?,
                    stride: self.numbers(*stride)?,
                })
            }
            _ => None,
        }
    }
}

fn take<const N: usize>(from: &mut impl BufRead) -> Result<[u8; N], String> {
    let mut bytes = [0; N];
    from.read_exact(&mut bytes).map_err(|_| "its pickle is torn")?;
    Ok(bytes)
}

fn long(from: &mut impl BufRead, n: u64) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    from.by_ref().take(n).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() as u64 == n { Ok(bytes) } else { Err("its pickle is torn".to_owned()) }
}

fn text(bytes: Vec<u8>) -> Result<String, String> {
    String::from_utf8(bytes).map_err(|_| "its pickle has a name that is no text".to_owned())
}

fn line(from: &mut impl BufRead) -> Result<String, String> {
    let mut line = Vec::new();
    from.by_ref().take(1 << 12).read_until(b'\n', &mut line).map_err(|error| error.to_string())?;
    text(line).map(|line| line.trim_end().to_owned())
}

/// The number that stands behind `code`.
fn number(code: u8, from: &mut impl BufRead) -> Result<Node, String> {
    Ok(match code {
        b'K' => Node::Int(i64::from(take::<1>(from)?[0])),
        b'M' => Node::Int(i64::from(u16::from_le_bytes(take(from)?))),
        b'J' => Node::Int(i64::from(i32::from_le_bytes(take(from)?))),
        b'G' => {
            take::<8>(from)?;
            Node::Nothing
        }
        _ => {
            let [n] = take::<1>(from)?;
            let bytes = long(from, u64::from(n))?;
            // Little-endian, two's complement; longer ones are no size.
            if bytes.len() > 8 {
                return Ok(Node::Long(bytes));
            }
            let sign = if bytes.last().is_some_and(|byte| byte & 0x80 != 0) { 0xff } else { 0 };
            let mut wide = [sign; 8];
            bytes.iter().enumerate().for_each(|(at, byte)| wide[at] = *byte);
            Node::Int(i64::from_le_bytes(wide))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_pickle_says_nothing_is_run_and_nothing_overflows() {
        let read = |bytes: &[u8]| Pickle::read(&mut { bytes }).and_then(|pickle| pickle.views().map(|views| views.len()));
        assert!(read(b"").is_err() && read(b".").is_err() && read(b"\x80\x02}q\x00.").is_err());
        assert!(read(b"cos\nsystem\n(X\x04\x00\x00\x00echotR.").is_err());
        assert!(read(b"\x85.").is_err() && read(b"h\x07.").is_err() && read(b"X\xff\xff\xff\xffhi.").is_err());
        let mut deep = b")".to_vec();
        deep.extend([0x85].repeat(2_000_000));
        deep.push(b'.');
        assert!(read(&deep).is_err());
    }
}
