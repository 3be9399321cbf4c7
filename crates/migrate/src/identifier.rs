//! Alembic's identifiers: ids and their prefixes, labels, `head`, `heads`, `base`, `label@…`, `+N`, `-N`, `REV+N`.

use std::collections::BTreeSet;

use crate::Graph;
use crate::error::GraphError;
use crate::graph::Node;

/// A request taken apart, not yet looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Request<'a> {
    /// As written.
    text: &'a str,
    /// Before `@`.
    branch: Option<&'a str>,
    /// An id, a label, `head`, `heads`, `base`; `None` in `+1`, which counts from where the database is.
    symbol: Option<&'a str>,
    /// `+N` or `-N`.
    steps: Option<i64>,
}

impl<'a> Request<'a> {
    pub(crate) fn parse(graph: &Graph, text: &'a str) -> Result<Self, GraphError> {
        let relative = |problem| GraphError::Relative { request: text.to_owned(), problem };
        let (branch, rest) = match text.split_once('@') {
            Some((branch, rest)) => (Some(branch), rest),
            None => (None, text),
        };
        if branch == Some("") || rest.is_empty() {
            return Err(graph.unknown(text));
        }
        // A label may have a `-`; steps are digits.
        let is_steps = |sign: &usize| *sign == 0 || rest[sign + 1..].starts_with(|c: char| c.is_ascii_digit());
        let Some(sign) = rest.find(['+', '-']).filter(is_steps) else {
            return Ok(Self { text, branch, symbol: Some(rest), steps: None });
        };
        let (symbol, steps) = rest.split_at(sign);
        let steps = steps.parse().map_err(|_| relative("a whole number has to follow the sign"))?;
        Ok(Self { text, branch, symbol: Some(symbol).filter(|symbol| !symbol.is_empty()), steps: Some(steps) })
    }

    fn relative(&self, problem: &'static str) -> GraphError {
        GraphError::Relative { request: self.text.to_owned(), problem }
    }
}

/// Where a walk down ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Before every revision.
    Base,
    At(Node),
}

impl Graph {
    /// The revisions that an absolute identifier names, none for `base`.
    pub(crate) fn resolve(&self, branch: Option<&str>, symbol: &str) -> Result<Vec<Node>, GraphError> {
        let lineage = match branch {
            Some(branch) => Some((branch, self.lineage(self.one(branch, None)?))),
            None => None,
        };
        let is_inside = |node: &Node| lineage.as_ref().is_none_or(|(_, lineage)| lineage.contains(node));
        match (symbol, branch) {
            ("base", _) => Ok(Vec::new()),
            ("heads", None) => Ok(self.effective_heads().collect()),
            ("heads", Some(_)) => Ok(self.head_nodes().filter(is_inside).collect()),
            ("head", _) => {
                let heads: Vec<_> = self.head_nodes().filter(is_inside).collect();
                if heads.len() > 1 { Err(GraphError::SeveralHeads(self.ids(heads))) } else { Ok(heads) }
            }
            _ => {
                let node = self.one(symbol, lineage.as_ref().map(|(_, lineage)| lineage))?;
                match branch {
                    Some(branch) if !is_inside(&node) => {
                        Err(GraphError::NotOnBranch { revision: self.id(node).to_owned(), branch: branch.to_owned() })
                    }
                    _ => Ok(vec![node]),
                }
            }
        }
    }

    /// The revision with this id, label or unique prefix; a prefix looks only inside `lineage`.
    fn one(&self, name: &str, lineage: Option<&BTreeSet<Node>>) -> Result<Node, GraphError> {
        if let Some(node) = self.named(name) {
            return Ok(node);
        }
        let is_inside = |node: &Node| lineage.is_none_or(|lineage| lineage.contains(node));
        let found: Vec<_> = self.names_with_prefix(name).into_iter().filter(|(_, node)| is_inside(node)).collect();
        match found[..] {
            [(_, node)] => Ok(node),
            [] => Err(self.unknown(name)),
            _ => Err(GraphError::Ambiguous {
                prefix: name.to_owned(),
                candidates: found.into_iter().map(|(name, _)| name.to_owned()).collect(),
            }),
        }
    }

    /// The error for a name that names nothing, with the name that was probably meant.
    pub(crate) fn unknown(&self, name: &str) -> GraphError {
        let distance = |known: &str| strsim::damerau_levenshtein(name, known);
        let known = self.names().chain(["head", "heads", "base"]);
        let nearest = known.map(|known| (distance(known), known)).min();
        let limit = name.chars().count().div_ceil(3);
        let nearest = nearest.filter(|(distance, _)| *distance <= limit).map(|(_, known)| known.to_owned());
        GraphError::Unknown { name: name.to_owned(), nearest }
    }

    /// The branch and the revisions that `stamp` is asked to record, none for `base`.
    pub(crate) fn stamp_target(&self, text: &str) -> Result<(Option<Node>, Vec<Node>), GraphError> {
        let request = Request::parse(self, text)?;
        let Some(symbol) = request.symbol.filter(|_| request.steps.is_none()) else {
            return Err(request.relative("a stamp names the revision itself"));
        };
        let branch = match request.branch {
            Some(branch) => Some(self.one(branch, None)?),
            None => None,
        };
        Ok((branch, self.resolve(request.branch, symbol)?))
    }

    /// What `upgrade` is asked to reach from these rows.
    pub(crate) fn upgrade_targets(&self, text: &str, rows: &BTreeSet<Node>) -> Result<Vec<Node>, GraphError> {
        let request = Request::parse(self, text)?;
        let Some(steps) = request.steps else {
            return self.resolve(request.branch, request.symbol.unwrap_or_default());
        };
        let lineage = match request.branch {
            Some(branch) => Some(self.lineage(self.one(branch, None)?)),
            None => None,
        };
        let start = match request.symbol {
            Some(symbol) => self.start_of_walk(request.branch.filter(|_| steps <= 0), symbol)?,
            None if steps <= 0 => return Err(request.relative("an upgrade goes up")),
            None => self.start_of_upgrade(&request, rows, lineage.as_ref())?,
        };
        let place = if steps >= 0 {
            self.walk_up(&request, start, steps, lineage.as_ref())?
        } else {
            self.walk_down(&request, start, -steps)?
        };
        Ok(match place {
            Place::Base => Vec::new(),
            Place::At(node) => vec![node],
        })
    }

    /// What `downgrade` is asked to keep as the highest, and the branch that it is restricted to.
    pub(crate) fn downgrade_target<'a>(
        &self,
        text: &'a str,
        rows: &BTreeSet<Node>,
    ) -> Result<(Option<&'a str>, Place, Option<Node>), GraphError> {
        let request = Request::parse(self, text)?;
        let Some(steps) = request.steps else {
            let symbol = request.symbol.unwrap_or_default();
            // The branch restricts what is dropped, not where the symbol is looked for.
            let nodes = self.resolve(None, symbol)?;
            return match nodes[..] {
                [] => Ok((request.branch, Place::Base, None)),
                [node] => Ok((request.branch, Place::At(node), None)),
                _ => Err(GraphError::SeveralHeads(self.ids(nodes))),
            };
        };
        if let Some(symbol) = request.symbol {
            let start = self.start_of_walk(request.branch.filter(|_| steps < 0), symbol)?;
            let place = if steps >= 0 {
                let lineage = match request.branch {
                    Some(branch) => Some(self.lineage(self.one(branch, None)?)),
                    None => None,
                };
                self.walk_up(&request, start, steps, lineage.as_ref())?
            } else {
                self.walk_down(&request, start, -steps)?
            };
            return Ok((request.branch, place, None));
        }
        if steps >= 0 {
            return Err(request.relative("a downgrade goes down"));
        }
        let candidates: Vec<Node> = match request.branch {
            None => rows.iter().copied().collect(),
            Some(branch) => {
                let lineage = self.lineage(self.one(branch, None)?);
                let on_branch: Vec<_> = rows.intersection(&lineage).copied().collect();
                if on_branch.is_empty() { self.tips(&self.closure(rows.iter().copied()), &lineage) } else { on_branch }
            }
        };
        let start = match candidates[..] {
            [start] => start,
            [] => return Err(request.relative("nothing is applied there")),
            _ => return Err(request.relative("several revisions are current: name a branch, as in label@-1")),
        };
        let place = self.walk_down(&request, Place::At(start), -steps)?;
        Ok((request.branch, place, Some(start)))
    }

    /// Where a walk from a symbol begins. Going up, Alembic has the branch choose between ways, and not restrict where
    /// they begin: then it is left out here.
    fn start_of_walk(&self, branch: Option<&str>, symbol: &str) -> Result<Place, GraphError> {
        let nodes = self.resolve(branch, symbol)?;
        match nodes[..] {
            [] => Ok(Place::Base),
            [node] => Ok(Place::At(node)),
            _ => Err(GraphError::SeveralHeads(self.ids(nodes))),
        }
    }

    /// Where `+N` counts from: the one current revision, on the branch if one is named.
    fn start_of_upgrade(
        &self,
        request: &Request<'_>,
        rows: &BTreeSet<Node>,
        lineage: Option<&BTreeSet<Node>>,
    ) -> Result<Place, GraphError> {
        let starts: Vec<Node> = match lineage {
            None => rows.iter().copied().collect(),
            Some(lineage) => {
                let on_branch: Vec<_> = rows.intersection(lineage).copied().collect();
                if on_branch.is_empty() { self.tips(&self.closure(rows.iter().copied()), lineage) } else { on_branch }
            }
        };
        match starts[..] {
            [] => Ok(Place::Base),
            [start] => Ok(Place::At(start)),
            _ => Err(request.relative("several revisions are current: name a branch, as in label@+1")),
        }
    }

    /// The applied revisions of a lineage that no other applied one of it needs.
    fn tips(&self, applied: &BTreeSet<Node>, lineage: &BTreeSet<Node>) -> Vec<Node> {
        let active: BTreeSet<_> = applied.intersection(lineage).copied().collect();
        let is_tip = |node: &Node| !self.dependents[*node].iter().any(|dependent| active.contains(dependent));
        active.iter().copied().filter(is_tip).collect()
    }

    fn walk_up(
        &self,
        request: &Request<'_>,
        start: Place,
        steps: i64,
        lineage: Option<&BTreeSet<Node>>,
    ) -> Result<Place, GraphError> {
        let mut place = start;
        for _ in 0..steps {
            let above: Vec<_> = match place {
                Place::Base => self.bases().collect(),
                Place::At(node) => self.children[node].clone(),
            };
            let above: Vec<_> = above.into_iter().filter(|node| lineage.is_none_or(|it| it.contains(node))).collect();
            place = match above[..] {
                [node] => Place::At(node),
                [] => return Err(request.relative("there are not that many revisions above")),
                _ => return Err(request.relative("the way up branches")),
            };
        }
        Ok(place)
    }

    fn walk_down(&self, request: &Request<'_>, start: Place, steps: i64) -> Result<Place, GraphError> {
        let mut place = start;
        for _ in 0..steps {
            let Place::At(node) = place else {
                return Err(request.relative("there are not that many revisions below"));
            };
            place = match self.parents[node][..] {
                [] => Place::Base,
                [parent] => Place::At(parent),
                _ => return Err(request.relative("the way down branches at a merge")),
            };
        }
        Ok(place)
    }
}
