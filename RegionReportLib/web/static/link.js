// The line to the server: messages both ways, pictures one way, and trying again when it breaks.

export const NAMES = ["axial", "coronal", "sagittal", "space"];

export class Link {
  constructor({ told, pictured, up, down }) {
    this.handlers = { told, pictured, up, down };
    this.socket = null;
    this.connect();
  }

  connect() {
    const address = new URL("socket", location.href);
    address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(address);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => { this.socket = socket; this.handlers.up(); };
    socket.onmessage = ({ data }) => {
      if (typeof data === "string") this.handlers.told(JSON.parse(data));
      else this.handlers.pictured(new Uint8Array(data, 0, 1)[0], new Blob([new Uint8Array(data, 1)], { type: "image/jpeg" }));
    };
    socket.onclose = () => {
      this.socket = null;
      this.handlers.down();
      setTimeout(() => this.connect(), 700);
    };
  }

  // Returns whether the message is on its way; what is not is for the caller to keep.
  send(message) {
    if (!this.socket || this.socket.readyState !== WebSocket.OPEN) return false;
    this.socket.send(JSON.stringify(message));
    return true;
  }
}
