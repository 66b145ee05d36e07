// Browsers start no Worker for a page that was opened from disk. There, the search runs in a hidden frame instead:
// what it posts comes to the page, and what the page posts waits until its script was read.
if (location.protocol === "file:") {
  const inside = `
    self.postMessage = (said) => parent.postMessage(said, "*")
    self.importScripts = async (...urls) => {
      for (const url of urls) await new Promise((read, failed) => {
        const script = document.createElement("script")
        Object.assign(script, { src: url, onload: read, onerror: failed })
        document.head.append(script)
      })
    }`
  window.Worker = class extends EventTarget {
    constructor(url) {
      super()
      const frame = document.createElement("iframe")
      frame.hidden = true
      frame.srcdoc = `<script>${inside}</script><script src="${url}"></script>`
      this.frame = new Promise((read) => frame.addEventListener("load", () => read(frame)))
      window.addEventListener("message", ({ source, data }) => {
        if (source !== frame.contentWindow) return
        const event = new MessageEvent("message", { data })
        this.dispatchEvent(event)
        this.onmessage?.(event)
      })
      document.body.append(frame)
    }
    async postMessage(said) {
      (await this.frame).contentWindow.dispatchEvent(new MessageEvent("message", { data: said }))
    }
    async terminate() {
      (await this.frame).remove()
    }
  }
}
