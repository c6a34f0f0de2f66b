// The functions that a call into a channel still has to run before it returns: what an event loop
// would run later. Between calls there are none, so a channel can move to another thread then.
#pragma once

#include <cstddef>
#include <new>
#include <type_traits>
#include <utility>

#include "base/assert.hpp"

namespace linnet::web {

class Tasks {
 public:
  /// Stands on the stack of a call; tasks that fit are kept in it, so that none of them allocates.
  class Scope {
   public:
    explicit Scope(Tasks& tasks) noexcept : tasks_(tasks) {
      LINNET_ASSERT(tasks.scope_ == nullptr && tasks.first_ == nullptr);
      tasks.scope_ = this;
    }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;
    ~Scope() {
      LINNET_ASSERT(tasks_.first_ == nullptr);
      tasks_.scope_ = nullptr;
    }

   private:
    friend class Tasks;
    static constexpr std::size_t kBlocks = 2;
    static constexpr std::size_t kBlockBytes = 1024;

    struct alignas(std::max_align_t) Block {
      std::byte bytes[kBlockBytes];
    };

    Tasks& tasks_;
    Block blocks_[kBlocks];
    bool used_[kBlocks] = {};
  };

  Tasks() noexcept = default;
  Tasks(const Tasks&) = delete;
  Tasks& operator=(const Tasks&) = delete;
  ~Tasks() { LINNET_ASSERT(first_ == nullptr); }

  /// Only within a scope.
  template <class Function>
  void add(Function&& function) {
    using Kept = TaskOf<std::decay_t<Function>>;
    void* memory = allocate(sizeof(Kept));
    append(::new (memory) Kept(std::forward<Function>(function)));
  }

  /// Runs them, and those that they add, until none is left.
  void run() {
    while (first_ != nullptr) {
      Task* task = first_;
      first_ = task->next;
      if (first_ == nullptr) last_ = nullptr;
      task->run(*this, task);
    }
  }

 private:
  struct Task {
    Task* next = nullptr;
    void (*run)(Tasks&, Task*) = nullptr;
  };

  template <class Function>
  struct TaskOf : Task {
    explicit TaskOf(Function&& source) : function(std::move(source)) { run = &take_and_run; }
    explicit TaskOf(const Function& source) : function(source) { run = &take_and_run; }

    // Its memory is free before it runs, for what it adds.
    static void take_and_run(Tasks& tasks, Task* task) {
      auto* self = static_cast<TaskOf*>(task);
      Function taken(std::move(self->function));
      self->~TaskOf();
      tasks.release(self);
      std::move(taken)();
    }

    Function function;
  };

  void append(Task* task) noexcept {
    (last_ == nullptr ? first_ : last_->next) = task;
    last_ = task;
  }

  void* allocate(std::size_t size) {
    LINNET_ASSERT(scope_ != nullptr);
    for (std::size_t at = 0; at < Scope::kBlocks && size <= Scope::kBlockBytes; ++at) {
      if (!std::exchange(scope_->used_[at], true)) return &scope_->blocks_[at];
    }
    return ::operator new(size);
  }

  void release(void* memory) noexcept {
    for (std::size_t at = 0; at < Scope::kBlocks; ++at) {
      if (memory == &scope_->blocks_[at]) {
        scope_->used_[at] = false;
        return;
      }
    }
    ::operator delete(memory);
  }

  Task* first_ = nullptr;
  Task* last_ = nullptr;
  Scope* scope_ = nullptr;
};

}  // namespace linnet::web
