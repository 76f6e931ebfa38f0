// What the app asks of whoever computes, keeps and saves for it: the host. The app knows no other way out. Hosts: a Gradio
// page's server (gradio.js), a worker beside a page without a server (alone.js), the captures in a saved file (file.js), and
// in tests one that only answers.
//
// All calls return promises. Where ``options`` are taken, ``options.signal`` is an AbortSignal, whose abortion rejects the
// promise with the signal's reason, and ``options.report`` is called with {done, total, ahead} while one waits: bytes, of
// what is saved files; and how many passes of other people come before this one's, absent where nobody else is served. What
// can't be done is a HostError. A call that a host can't answer is absent, and the app then does not offer what needs it.

/**
 * What one forward pass is of. Photos and networks have names that only their host understands. ``edits``, of hosts that
 * have ``edits``: what is changed of the network's gates, by layer, see changes/edits.js; absent for nothing.
 * @typedef {{photo: string, network: string, view: 'whole' | 'crop', edits?: Object<string, object[]>}} Request
 *
 * A photo to choose. ``thumbnail`` is an address that <img> opens, or absent; ``mark`` says in the asked language that
 * none of the network's classes fits it; ``title`` what it shows, ``credit`` whose it is.
 * @typedef {{photo: string, name: string, thumbnail?: string, title?: string, mark?: string, credit?: string}} Photo
 *
 * A network to choose. ``group``: 'embedded' ones stand in the first row, 'imagenet', 'damaged' and 'yours' behind
 * a search. ``attention``: '' for none. ``isReady``: it can be asked for without a download; else ``megabytes`` says how
 * large that is. ``library``: where it comes from. ``edits``: which of the host's edits can be made of it, where not all can.
 * @typedef {{name: string, title: string, group: string, attention: string, isReady: boolean, library?: string,
 *   megabytes?: number, edits?: string[]}} Network
 *
 * What Python's viewer/encoding.py packs, with ``arrays`` to be decoded; or the same with its layers' arrays in place
 * ({values, height, width, grain}, see numbers/decoding.js) and without ``arrays``.
 * @typedef {object} Capture
 *
 * What the page opens with. ``capture``: of the photo and network that were wanted, or else of the first. ``mine``: which
 * of the visitor's photos the host still has. ``minutes``: for how long it keeps what is brought; absent if nothing
 * leaves this browser. ``megabytes``: the largest weights that it takes. ``told``: what can be said of weights, as
 * values of the words ``told_…``. ``trouble``: why what was wanted is not shown, ``note``: what else
 * there is to say. ``beside``:
 * captures that are shown together with the first. ``frames``: other websites may show this page in a frame.
 * @typedef {{capture: Capture, networks: Network[], examples: Photo[], mine?: Photo[], minutes?: number,
 *   megabytes?: number, told?: string[], trouble?: Message, note?: Message, beside?: Request[], state?: object, frames?: boolean}} Opening
 *
 * A sentence, by language, or in one that is all there is.
 * @typedef {string | Object<string, string>} Message
 *
 * What a network says of a photo with each layer changed: ``alone``, and ``together`` with all layers before it. ``before``: the class that it
 * answers as it is, and its probability (``share``). ``steps`` are in running order; of the class before they have by how much its
 * score is more (``scoreChange``) and its probability; null is what is not known, or is not there. ``leftOut``: layers that can't be changed,
 * and why.
 * @typedef {{answer: string | null, isOther: boolean, scoreChange: number | null, share: number | null}} Said
 * @typedef {{how: string, before: {answer: string | null, share: number | null},
 *   steps: {layer: string, alone: Said, together: Said}[], leftOut: {layer: string, why: Message}[]}} Stairs
 *
 * @typedef {object} Host
 * @property {(wanted: Partial<Request> & {language: string}, options?) => Promise<Opening>} start
 * @property {(language: string, options?) => Promise<Network[]>} networks
 * @property {(network: string, language: string, options?) => Promise<Photo[]>} examples
 * @property {(request: Request, options?) => Promise<Capture>} capture
 * @property {string[]} [edits] which kinds of edits a request may ask for: of a whole layer 'usual', 'off', and 'patch', whose
 *   ``photo`` is a name of this host's; of single channels and cells 'set'. Of what else is listed the app offers nothing. What a
 *   capture then has of ``change`` Python's viewer/change.py says; there another photo is called by its file's name
 * @property {((request: Request, asked: {how: 'usual' | 'off'}, options?) => Promise<Stairs>)} [stairs] every layer changed in turn; the
 *   request has no ``edits``, and ``options.report`` is told of layers that are done
 * @property {((requests: Request[], options?) => Promise<(Capture | HostError)[]>)} [captures]
 *   several at once, at most ``together``
 * @property {number} [together]
 * @property {((request: Request & {layer: string, channel: number}, options?) => Promise<{before, after}>)} [features]
 *   one channel's features before and after the layer's gate, decoded arrays (h, w)
 * @property {((request: Request & {layer: string}, options?) =>
 *   Promise<{height: number, width: number, shares: Float32Array, sizes: Float32Array}>)} [gallery]
 *   all channels' features before the layer's gate as thumbnails of ``height`` by ``width``, one behind the other, each number
 *   as a share of its channel's greatest (−1 to 1), and the mean size of each channel's numbers
 * @property {((frame: {network: string, view: string, bitmap: ImageBitmap}, options?) => Promise<Capture>)} [frame] of a frame of the
 *   camera: gates, maps and answer without steps, and without its photo's name and picture; nothing of it is kept, and the
 *   ``bitmap`` is taken away
 * @property {number} [framesAtOnce] how many of these may be asked for at once
 * @property {(() => Promise<void>)} [endFrames] lets go of those that are asked for, and of what they take
 * @property {((file: File, options?) => Promise<Photo>)} [addPhoto]
 * @property {((photo: string) => Promise<void>)} [removePhoto]
 * @property {((own: {weights: File, labels: File | null, told: string[]}, options?) =>
 *   Promise<{network: Network, assumed: Message | null}>)} [addNetwork]
 * @property {((selection: Selection, options?) => Promise<{address: string, name: string}>)} [save] a file; its options have
 *   ``pictures`` too, which draws the figures on the screen: () => Promise<[name, Blob][]>
 * @property {string[]} [saves] what of that it saves, by ``what``, of a figure with the format: 'figure csv'; absent: all
 * @property {((address: string) => Promise<{key: string, values?: object}>)} [link]
 *   copies an address, and says how that went: a key of our words
 * @property {(() => Promise<void>)} [forget] deletes all that this visitor brought
 * @property {boolean} [isAlone] there is no server: nothing that is brought leaves this browser, and where words have a form for
 *   that (``…_without_server``), they are said in it
 */

/**
 * What is to be saved. ``what``: a zip of what is on the 'screen' or of 'all' there is; a 'page' to explore without a
 * host (HTML); one 'figure', with its name and ``format``; a figure for a 'paper'. ``name``: of the file, without its
 * ending. The rest is what save/selection.js makes: ``shown`` are the traces on the screen, ``tab`` how they are looked at.
 *
 * ``figure``: 'map', 'channels', 'channel', 'steps', 'answer', 'networks', 'photos', 'spread' or 'pair'. ``format``: 'png',
 * 'svg', 'pdf', or 'csv' for its numbers. Of a paper: ``panels`` of 'photo', 'map', 'channels', 'channel', 'steps';
 * ``layers`` by name; ``width`` 85 or 170 mm; ``format`` 'pdf', 'svg', or 'png' of 300 dots an inch.
 * @typedef {{what: string, name: string, figure?: string, format?: string, panels?: string[], layers?: string[],
 *   width?: number, tab: string, shown: Request[], beside: Request[], layer: string, compared: Object<string, string>,
 *   channel: number | null, a: string | null, b: string | null, look: object}} Selection
 */

/** Why a host could not do what it was asked: ``said`` is a Message for people, or null if the host did not answer. */
export class HostError extends Error {
  constructor(said = null) {
    super(typeof said === 'string' ? said : (said?.en ?? 'no answer'));
    this.said = said;
  }
}
