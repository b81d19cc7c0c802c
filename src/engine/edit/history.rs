//! The tree of edits: who follows whom, where we are, and which way redo goes. No branch is ever destroyed.

use std::collections::HashMap;

use super::change::Direction;

/// An edit's number in its journal, from 1. 0 is the state before the first edit.
pub type EditId = i64;

/// One edit as the History view lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Its number.
    pub id: EditId,
    /// The edit it was made on top of; 0 for none.
    pub parent: EditId,
    /// When it was made, in milliseconds since 1970 (UTC).
    pub at: i64,
    /// What it was, in words.
    pub words: String,
    /// How many samples it touched.
    pub count: usize,
}

/// All edits, and where we are among them.
#[derive(Debug, Clone, Default)]
pub struct History {
    nodes: Vec<Node>,
    /// How many edits lead to each node, itself included.
    depths: Vec<usize>,
    places: HashMap<EditId, usize>,
    head: EditId,
    redo: HashMap<EditId, EditId>,
}

impl History {
    /// Adds an edit and moves to it.
    pub fn push(&mut self, node: Node) {
        let (id, parent) = (node.id, node.parent);
        self.add(node);
        if parent == self.head { self.advance(id) } else { self.go(id) }
    }

    /// Adds an edit without moving.
    pub fn add(&mut self, node: Node) {
        self.depths.push(self.places.get(&node.parent).map_or(0, |place| self.depths[*place]) + 1);
        self.places.insert(node.id, self.nodes.len());
        self.nodes.push(node);
    }

    /// Moves to `head`, remembering the way there for redo.
    pub fn go(&mut self, head: EditId) {
        // The way that we leave is the way that redo takes, until another is walked.
        for id in self.line(self.head).into_iter().chain(self.line(head)) {
            if let Some(node) = self.node(id) {
                self.redo.insert(node.parent, id);
            }
        }
        self.head = head;
    }

    /// One step back, as a move: cheaper than [`History::go`] for long histories.
    pub fn step_back(&mut self) {
        if let Some(parent) = self.undo_target() {
            self.redo.insert(parent, self.head);
            self.head = parent;
        }
    }

    /// One step forward.
    pub fn step_forward(&mut self) {
        if let Some(child) = self.redo_target() {
            self.head = child;
        }
    }

    /// Moves to a child of where we are: what a new edit does.
    pub fn advance(&mut self, child: EditId) {
        self.redo.insert(self.head, child);
        self.head = child;
    }

    /// Where we are; 0 before the first edit.
    pub fn head(&self) -> EditId {
        self.head
    }

    /// How many edits are in force where we are. Cheap: asked every frame.
    pub fn depth(&self) -> usize {
        self.places.get(&self.head).map_or(0, |place| self.depths[*place])
    }

    /// The edits in force, in order: when each was made, in milliseconds since 1970, and how many samples it touched.
    pub fn work(&self) -> Vec<(i64, usize)> {
        self.line(self.head).into_iter().filter_map(|id| self.node(id)).map(|node| (node.at, node.count)).collect()
    }

    /// What the edits in force were, in words, in order.
    pub fn told(&self) -> Vec<String> {
        self.line(self.head).into_iter().filter_map(|id| self.node(id)).map(|node| node.words.clone()).collect()
    }

    /// Every edit in the order they were made.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The edit numbered `id`.
    pub fn node(&self, id: EditId) -> Option<&Node> {
        self.places.get(&id).map(|place| &self.nodes[*place])
    }

    /// Whether `id` is a state that can be gone to.
    pub fn has(&self, id: EditId) -> bool {
        id == 0 || self.places.contains_key(&id)
    }

    /// The state that undo goes to.
    pub fn undo_target(&self) -> Option<EditId> {
        self.node(self.head).map(|node| node.parent)
    }

    /// The edit that redo makes again.
    pub fn redo_target(&self) -> Option<EditId> {
        self.redo.get(&self.head).copied().filter(|id| self.has(*id))
    }

    /// The edits from the first one to `id`, itself included.
    pub fn line(&self, id: EditId) -> Vec<EditId> {
        let mut line = Vec::new();
        let mut at = id;
        while let Some(node) = self.node(at) {
            line.push(at);
            at = node.parent;
        }
        line.reverse();
        line
    }

    /// What to apply, in order, to get from where we are to `target`.
    pub fn path_to(&self, target: EditId) -> Vec<(EditId, Direction)> {
        let (from, to) = (self.line(self.head), self.line(target));
        let shared = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
        let back = from[shared..].iter().rev().map(|id| (*id, Direction::Back));
        let forward = to[shared..].iter().map(|id| (*id, Direction::Forward));
        back.chain(forward).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(id: EditId, parent: EditId) -> Node {
        Node { id, parent, at: 0, words: String::new(), count: 1 }
    }

    #[test]
    fn branches_are_kept_and_redo_follows_the_last_way_walked() {
        let mut history = History::default();
        history.push(node(1, 0));
        history.push(node(2, 1));
        history.step_back();
        assert_eq!(history.redo_target(), Some(2));
        history.push(node(3, 1));
        assert_eq!(history.redo_target(), None);
        assert_eq!(history.path_to(2), [(3, Direction::Back), (2, Direction::Forward)]);
        history.go(2);
        history.step_back();
        assert_eq!(history.redo_target(), Some(2));
        assert_eq!(history.nodes().len(), 3);
        assert_eq!(history.depth(), history.line(history.head()).len());
        history.go(0);
        assert_eq!(history.undo_target(), None);
        assert_eq!(history.path_to(3), [(1, Direction::Forward), (3, Direction::Forward)]);
    }
}
